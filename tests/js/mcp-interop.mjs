// The MCP project's own client before its own server, with the gate between: node mcp-interop.mjs SDK-FOLDER COMMAND ARGS...
// It prints what it saw as one line of JSON.

import {join} from 'node:path';
import {pathToFileURL} from 'node:url';

const [folder, command, ...args] = process.argv.slice(2);
const sdk = (file) => import(pathToFileURL(join(folder, 'node_modules/@modelcontextprotocol/sdk/dist/esm/client', file)));
const {Client} = await sdk('index.js');
const {StdioClientTransport} = await sdk('stdio.js');

const client = new Client({name: 'interop', version: '1'});
await client.connect(new StdioClientTransport({command, args, stderr: 'inherit'}));
const {tools} = await client.listTools();
const call = (name, given) => client.callTool({name, arguments: given});
const [permitted, denied] = await Promise.all([call('echo', {message: 'hello'}), call('get-env', {})]);
await client.ping();
await client.close();
process.stdout.write(JSON.stringify({tools: tools.map(({name}) => name), permitted, denied}) + '\n');
