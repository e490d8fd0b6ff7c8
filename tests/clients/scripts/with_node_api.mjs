// Reads a file with DuckDB's client for Node.
import { TASK, requireHere, tell } from './answers.mjs';

const { DuckDBInstance } = requireHere('@duckdb/node-api');
let connection;

await tell(async (text) => {
  if (connection === undefined) {
    const instance = await DuckDBInstance.create(TASK.path, { access_mode: 'READ_ONLY' });
    connection = await instance.connect();
    await connection.run(TASK.sql.zone);
  }
  return (await connection.runAndReadAll(text)).getRowObjectsJS();
});
