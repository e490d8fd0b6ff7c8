{{ config(materialized='table') }}

-- The certificate in SQL: what `pipedream-source prove` says of each stream, period by period.
-- Follows pipedream_source/core/completeness/proof.py step by step; a test compares the two.
with stretches as (
    select * from {{ ref('stg_pipedream__stream_coverage') }}
),

gaps as (
    select * from {{ ref('stg_pipedream__event_gaps') }}
),

stream_status as (
    select * from {{ ref('stg_pipedream__stream_status') }}
),

events_gone as (
    select * from {{ ref('int_pipedream__events_gone') }}
),

-- The gap that the poll found which opened a stretch; where it found two, the one that ends there.
opening_gaps as (
    select
        stretches.emitter_id,
        stretches.channel,
        stretches.from_id,
        stretches.opened_at,
        gaps.verdict as gap_verdict,
        gaps.after_id,
        gaps.before_id,
        gaps.gap_started_at,
        gaps.gap_ended_at,
        gaps.lost_min,
        gaps.lost_likely,
        gaps.lost_max,
        row_number() over (
            partition by stretches.emitter_id, stretches.channel, stretches.from_id, stretches.opened_at
            order by case when gaps.before_id = stretches.from_id then 0 else 1 end, gaps.after_id
        ) as place
    from stretches
    inner join gaps
        on gaps.emitter_id = stretches.emitter_id
        and gaps.channel = stretches.channel
        and gaps.detected_at = stretches.opened_at
    -- A first poll finds no gap, though one may be found within the same second.
    where stretches.begins not in ('origin', 'window')
),

joined as (
    select
        stretches.*,
        opening_gaps.gap_verdict,
        opening_gaps.after_id,
        opening_gaps.before_id,
        opening_gaps.gap_started_at,
        opening_gaps.gap_ended_at,
        opening_gaps.lost_min,
        opening_gaps.lost_likely,
        opening_gaps.lost_max,
        opening_gaps.gap_verdict is not null as has_gap,
        coalesce(events_gone.events_gone, 0) as events_gone
    from stretches
    left join opening_gaps
        on opening_gaps.emitter_id = stretches.emitter_id
        and opening_gaps.channel = stretches.channel
        and opening_gaps.from_id = stretches.from_id
        and opening_gaps.opened_at = stretches.opened_at
        and opening_gaps.place = 1
    left join events_gone
        on events_gone.emitter_id = stretches.emitter_id
        and events_gone.channel = stretches.channel
        and events_gone.from_id = stretches.from_id
        and events_gone.opened_at = stretches.opened_at
),

ordered as (
    select
        joined.*,
        row_number() over (stream order by opened_at, covered_until, {{ pipedream.event_order('from_id') }}) as place,
        lead(gap_verdict) over (stream order by opened_at, covered_until, {{ pipedream.event_order('from_id') }}) as next_verdict,
        lead(after_id) over (stream order by opened_at, covered_until, {{ pipedream.event_order('from_id') }}) as next_after_id,
        lead(before_id) over (stream order by opened_at, covered_until, {{ pipedream.event_order('from_id') }}) as next_before_id,
        lead(gap_started_at) over (stream order by opened_at, covered_until, {{ pipedream.event_order('from_id') }}) as next_gap_started_at
    from joined
    window stream as (partition by emitter_id, channel)
),

-- How far a stretch is complete: what the next gap may reach back into is not. That is no more than
-- the minute before the last poll, unless the ids run behind the polls.
reaching as (
    select
        ordered.*,
        greatest(
            case
                when next_verdict is null then covered_until
                when next_verdict <> 'regressed' and {{ pipedream.event_time('next_before_id') }} < covered_until
                    then least(covered_until, next_gap_started_at, {{ pipedream.event_time('next_after_id') }})
                else least(covered_until, greatest(next_gap_started_at, covered_until - {{ pipedream.late_stretch() }}))
            end,
            covered_from
        ) as reach
    from ordered
),

followed as (
    select
        reaching.*,
        place > 1 as has_before,
        lag(reach) over (partition by emitter_id, channel order by place) as reach_before,
        lag(covered_until) over (partition by emitter_id, channel order by place) as covered_until_before,
        lag(until_id) over (partition by emitter_id, channel order by place) as until_id_before,
        begins = 'since' as is_cut
    from reaching
),

begun as (
    select
        followed.*,
        case when has_before then reach_before else gap_started_at end as gap_began_at,
        case
            when not has_gap then covered_until_before
            when is_cut then greatest(case when has_before then reach_before else gap_started_at end, gap_ended_at)
            else covered_from
        end as gap_closed_at,
        not has_gap and has_before and not is_cut and until_id_before is not null
            and {{ pipedream.event_order('from_id') }} <= {{ pipedream.event_order('until_id_before') }} as is_touching,
        case
            when is_cut then 'older events were left out (--since)'
            when has_before then 'the cursor was lost between two polls whose windows do not overlap'
            else 'the first window was full: what came before it was not shown'
        end as why_unobserved
    from followed
),

unobserved_first as (
    select
        emitter_id, channel, place, 0 as part,
        'unobserved' as standing,
        gap_began_at as ended_at,
        why_unobserved as why,
        from_id
    from begun
    where covered_from is not null and has_gap and not has_before
),

segments as (
    select
        emitter_id, channel, place, part, standing,
        {{ pipedream.typed_null('timestamptz') }} as started_at,
        ended_at, why,
        {{ pipedream.typed_null('text') }} as from_id,
        from_id as to_id,
        0 as lost_min, {{ pipedream.typed_null('bigint') }} as lost_likely, {{ pipedream.typed_null('bigint') }} as lost_max,
        0 as polls, {{ pipedream.typed_null('timestamptz') }} as opened_at, {{ pipedream.typed_null('double') }} as longest_pause_s
    from unobserved_first

    union all

    select
        emitter_id, channel, place, 1,
        case when gap_verdict = 'overrun' then 'lost' else 'unknown' end,
        case
            when gap_began_at > {{ pipedream.event_time("'0-0'") }}
                then least(gap_began_at, gap_closed_at)
        end,
        gap_closed_at,
        case gap_verdict
            when 'overrun' then 'a full window did not overlap the one before'
            when 'purged' then 'events were deleted, perhaps some that no poll had seen'
            when 'regressed' then 'all events became older: the stream was made anew or restored'
            else 'the API contradicted itself'
        end,
        after_id, before_id, lost_min, lost_likely, lost_max,
        0, {{ pipedream.typed_null('timestamptz') }}, {{ pipedream.typed_null('double') }}
    from begun
    where covered_from is not null and has_gap

    union all

    select
        emitter_id, channel, place, 2,
        -- Polls saw what came since the stretch before, and left it out as asked.
        case when is_cut and has_before then 'excluded' else 'unobserved' end,
        gap_closed_at, covered_from, why_unobserved,
        until_id_before, from_id, 0, null, null, 0, null, null
    from begun
    where covered_from is not null
        and not is_touching
        and (gap_closed_at is null or gap_closed_at < covered_from)

    union all

    select
        emitter_id, channel, place, 3,
        case when events_gone > 0 then 'unknown' else 'complete' end,
        covered_from,
        reach,
        case
            when events_gone > 0
                then events_gone || ' of its ' || events_loaded || ' events are not in the tables any more'
            else 'each window overlapped the one before'
        end,
        case when covered_from is not null then from_id end,
        until_id, 0, null, null, polls, opened_at, longest_pause_s
    from begun
    where reach > {{ pipedream.event_time("'0-0'") }}
),

last_load as (
    select max(load_id) as load_id, max(covered_until) as period_end from stretches
),

streams as (
    select emitter_id, channel from stretches
    union
    select emitter_id, channel from gaps
    union
    select emitter_id, channel from stream_status
),

proven as (
    select emitter_id, channel, max(covered_until) as covered_until, max(load_id) as load_id
    from stretches
    group by emitter_id, channel
),

-- What a stream that has ended told before it did, by a poll that contradicted itself.
doubted as (
    select gaps.emitter_id, gaps.channel, max(gaps.detected_at) as doubted_at
    from gaps
    inner join stream_status
        on stream_status.emitter_id = gaps.emitter_id and stream_status.channel = gaps.channel
    left join proven on proven.emitter_id = gaps.emitter_id and proven.channel = gaps.channel
    where stream_status.verdict = 'ended'
        and (proven.covered_until is null or gaps.detected_at > proven.covered_until)
    group by gaps.emitter_id, gaps.channel
),

-- What follows the last poll that proves anything, unless the last load made it.
unpolled as (
    select
        streams.emitter_id,
        streams.channel,
        coalesce(doubted.doubted_at, proven.covered_until) as started_at,
        case
            when stream_status.verdict = 'ended' then last_load.period_end
            else coalesce(last_load.period_end, stream_status.last_polled_at, proven.covered_until)
        end as ended_at,
        case
            when stream_status.verdict = 'ended' then 'ended'
            when coalesce(stream_status.failures, 0) = 0 and stream_status.verdict = 'unknown' then 'unknown'
            else 'unobserved'
        end as standing,
        stream_status.last_error
    from streams
    cross join last_load
    left join proven
        on proven.emitter_id = streams.emitter_id and proven.channel = streams.channel
    left join stream_status
        on stream_status.emitter_id = streams.emitter_id and stream_status.channel = streams.channel
    left join doubted
        on doubted.emitter_id = streams.emitter_id and doubted.channel = streams.channel
    where proven.load_id is null or proven.load_id < last_load.load_id or stream_status.verdict = 'ended'
),

all_segments as (
    select * from segments

    union all

    select
        doubted.emitter_id, doubted.channel, 1000000000, 4,
        'unknown',
        proven.covered_until, doubted.doubted_at,
        'the API contradicted itself',
        null, null, 0, null, null, 0, null, null
    from doubted
    left join proven
        on proven.emitter_id = doubted.emitter_id and proven.channel = doubted.channel

    union all

    select
        emitter_id, channel, 1000000000, 5,
        standing,
        started_at, ended_at,
        coalesce(
            nullif(last_error, ''),
            case standing
                when 'ended' then 'the API does not find it any more'
                when 'unknown' then 'the API contradicted itself'
                else 'it was not polled by the last load'
            end
        ),
        null, null, 0, null, null, 0, null, null
    from unpolled
    where ended_at is not null and (started_at is null or ended_at > started_at)
),

numbered as (
    select
        all_segments.*,
        row_number() over (
            partition by all_segments.emitter_id, all_segments.channel order by place, part
        ) as interval_number,
        proven.emitter_id is not null as has_stretches,
        case when all_segments.part < 4 then proven.covered_until end as observed_until
    from all_segments
    left join proven
        on proven.emitter_id = all_segments.emitter_id and proven.channel = all_segments.channel
),

-- Nobody promised what came before the first window, and nothing reaches past the last poll: an
-- emitter's clock may run ahead of it.
within_period as (
    select
        numbered.emitter_id,
        numbered.channel,
        numbered.interval_number,
        numbered.standing,
        case when numbered.started_at is not null
            then least(numbered.started_at, numbered.observed_until)
        end as started_at,
        least(numbered.ended_at, numbered.observed_until) as ended_at,
        numbered.why,
        numbered.from_id,
        numbered.to_id,
        numbered.lost_min,
        numbered.lost_likely,
        numbered.lost_max,
        numbered.polls,
        numbered.opened_at,
        numbered.longest_pause_s
    from numbered
    where not (numbered.interval_number = 1 and numbered.standing = 'unobserved' and numbered.has_stretches)
)

select * from within_period
