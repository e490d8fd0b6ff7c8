// Reads a file with DuckDB-WASM, as a page without a network would: it may load no extension.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { TASK, requireHere, tell } from './answers.mjs';

const main = requireHere.resolve('@duckdb/duckdb-wasm/dist/duckdb-node-blocking.cjs');
const duckdb = requireHere(main);
const bundle = (name) => ({ mainModule: join(dirname(main), `duckdb-${name}.wasm`), mainWorker: '' });
let connection;

await tell(async (text) => {
  if (connection === undefined) {
    const bundles = { mvp: bundle('mvp'), eh: bundle('eh') };
    const database = await duckdb.createDuckDB(bundles, new duckdb.VoidLogger(), duckdb.NODE_RUNTIME);
    await database.instantiate(() => {});
    database.registerFileBuffer('events.duckdb', new Uint8Array(readFileSync(TASK.path)));
    database.open({ path: 'events.duckdb', accessMode: duckdb.DuckDBAccessMode.READ_ONLY });
    connection = database.connect();
    connection.query('SET autoload_known_extensions = false');
  }
  return connection.query(text).toArray().map((row) => row.toJSON());
});
