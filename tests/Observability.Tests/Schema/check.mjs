// Compiles the dashboards as values of Grafana's types: node check.mjs FILE.json... Prints the compiler's complaints; exit code 0 if it has none.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

const files = process.argv.slice(2);
const values = files.map((file, index) => `export const dashboard${index}: DashboardFile = // ${file}\n${readFileSync(file, 'utf8')};\n`);
writeFileSync('dashboards.ts', `import type { DashboardFile } from './types.ts';\n\n${values.join('\n')}`);

const compiled = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', '--allowImportingTsExtensions'], { encoding: 'utf8' });
process.stdout.write(compiled.stdout + compiled.stderr);
process.exit(compiled.status ?? 1);
