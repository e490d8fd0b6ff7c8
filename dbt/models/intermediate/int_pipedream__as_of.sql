-- What "the last 24 hours" ends with: the newest poll, as the database knows nothing later.
with stream_status as (
    select * from {{ ref('stg_pipedream__stream_status') }}
),

stream_coverage as (
    select * from {{ ref('stg_pipedream__stream_coverage') }}
),

moments as (
    select max(last_polled_at) as moment from stream_status
    union all
    select max(covered_until) as moment from stream_coverage
),

newest as (
    select max(moment) as as_of from moments
)

select * from newest
