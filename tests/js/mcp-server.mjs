// A small MCP server over stdio, to be stood before. Its first argument names a file to which it appends every line that
// it gets, before it reads it: what reached the server is what stands there.
//
// It knows no JSON-RPC beyond what the tests ask of it, and misbehaves when it is told to.

import {appendFileSync} from 'node:fs';
import {createInterface} from 'node:readline';

const journal = process.argv[2];
const say = (message) => process.stdout.write(JSON.stringify({jsonrpc: '2.0', ...message}) + '\n');
const text = (text, isError = false) => ({content: [{type: 'text', text}], isError});
const sleeping = new Map();

const tools = {
  append: ({file, text: line}) => {
    appendFileSync(file, line + '\n');
    return text(`appended ${line}`);
  },
  fail: () => text('it failed', true),
  ask: () => ({resultType: 'input_required', requestState: 'state'}),
  task: () => ({task: {taskId: '1', status: 'working'}}),
};

function call(id, {name, arguments: given = {}}) {
  switch (name) {
    case 'error':
      return say({id, error: {code: -32602, message: 'it is an error'}});
    case 'sleep':
      return sleeping.set(id, setTimeout(() => say({id, result: text(`slept ${given.ms}`)}), given.ms));
    case 'silent':
      return undefined;
    case 'die':
      return process.kill(process.pid, 'SIGKILL');
    default:
      return name in tools
        ? say({id, result: tools[name](given)})
        : say({id, error: {code: -32602, message: `unknown tool ${name}`}});
  }
}

function hear({id, method, params}) {
  switch (method) {
    case 'initialize':
      return say({id, result: {protocolVersion: params.protocolVersion, capabilities: {tools: {}}, serverInfo: {name: 'test', version: '1'}}});
    case 'tools/list':
      return say({id, result: {tools: Object.keys(tools).map((name) => ({name, inputSchema: {type: 'object'}}))}});
    case 'tools/call':
      return call(id, params);
    case 'notifications/cancelled':
      return clearTimeout(sleeping.get(params.requestId));
    // What follows is for tests alone.
    case 'notifications/test/ask':
      return say({id: 'from-server', method: 'roots/list'});
    case 'notifications/test/say':
      return process.stdout.write(params.line + '\n');
    default:
      return id === undefined ? undefined : say({id, result: {}});
  }
}

process.stderr.write('the server has begun\n');
createInterface({input: process.stdin, crlfDelay: Infinity}).on('line', (line) => {
  appendFileSync(journal, line + '\n');
  hear(JSON.parse(line));
});
// When its input ends, it finishes what it has begun, and ends.
process.exitCode = process.argv[3] ?? 0;
