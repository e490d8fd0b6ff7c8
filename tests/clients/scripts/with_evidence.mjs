// Reads a file with the connector of Evidence, which Evidence calls with each query of a source.
import { TASK, requireHere, tell } from './answers.mjs';

const runQuery = requireHere('@evidence-dev/duckdb');

await tell(async (text) => {
  const found = await runQuery(`${TASK.sql.zone}; ${text}`, { filename: TASK.path });
  const rows = [];
  for await (const batch of found.rows()) rows.push(...batch);
  return rows;
});
