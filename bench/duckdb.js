// bench/duckdb.js: DuckDB as a contestant of the benchmark.
//
// Opens the database file named on the command line (made if there is none) and then reads statements from its standard
// input, one a line. To each it answers one line: the milliseconds it took until the last row was there, or "error" and why.
// Promises: nothing but the statement is timed. Never: reads or writes anything the statements do not name.
// Needs the npm package @duckdb/node-api, found as node finds packages (NODE_PATH).

const { DuckDBInstance } = require('@duckdb/node-api');
const { createInterface } = require('readline');

async function main() {
	const instance = await DuckDBInstance.create(process.argv[2]);
	const connection = await instance.connect();
	for await (const statement of createInterface({ input: process.stdin })) {
		const start = process.hrtime.bigint();
		try {
			await connection.runAndReadAll(statement);
			console.log(Number(process.hrtime.bigint() - start) / 1e6);
		} catch (e) {
			console.log('error ' + String(e.message).replace(/\s+/g, ' '));
		}
	}
	connection.closeSync();
}

main();
