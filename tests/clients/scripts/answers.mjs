// What each script here shares: the task from the standard input, the answers to the output.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

export const TASK = JSON.parse(readFileSync(0, 'utf8'));
// Packages are those of the folder that the script is started in.
export const requireHere = createRequire(`${process.cwd()}/`);

export async function tell(query) {
  const { sql, views, examples } = TASK;
  const rows = async (text) => (await query(text)).map((row) => Object.values(row));
  const value = async (text) => (await rows(text))[0][0];
  const checks = {
    version: () => value(sql.version),
    rows: () => value(sql.rows),
    listed: async () => (await rows(sql.listed)).map(([name]) => name),
    payloads: async () => Object.fromEntries(await rows(sql.payloads)),
    key: () => value(sql.key),
    time: async () => {
      const time = await value(sql.time);
      return { ms: Number(time), kind: time instanceof Date ? 'Date' : typeof time };
    },
    views: async () => {
      const counts = {};
      for (const view of views) counts[view] = await value(sql.view.replaceAll('{view}', view));
      for (const text of examples) counts[text] = (await rows(text)).length;
      return counts;
    },
    comment: () => value(sql.comment),
  };
  const told = {};
  for (const [name, check] of Object.entries(checks)) {
    try {
      told[name] = { value: await check() };
    } catch (error) {
      told[name] = { error: String(error) };
    }
  }
  // DuckDB-WASM keeps its process alive.
  process.stdout.write(`\n${JSON.stringify(told)}`, () => process.exit(0));
}
