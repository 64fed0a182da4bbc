import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';

/**
 * Where a Redis server for the tests is: `TEST_REDIS_URL`, or one on loopback. In CI it must be there;
 * elsewhere its absence is one visible line.
 */
export async function testRedisUrl(): Promise<string | undefined> {
  const named = process.env['TEST_REDIS_URL'];
  const url = named ?? 'redis://127.0.0.1:6379';
  if (await answers(url)) return url;
  if (process.env['CI'] || named)
    throw new Error('The tests need a Redis server, and none answers.');
  console.log('No Redis server on loopback: what needs one is not tested.');
  return undefined;
}

async function answers(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port || 6379), timeout: 1_000 });
  try {
    await once(socket, 'connect');
    socket.write('PING\r\n');
    const [reply] = (await once(socket, 'data')) as [Buffer];
    return reply.toString().startsWith('+PONG');
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

export type RedisProcess = { pid: number; stop(): Promise<void> };

/** A Redis server of the test's own at this port. */
export async function startRedis(port: string): Promise<RedisProcess> {
  const words = ['--port', port, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  const child = spawn('redis-server', words, { stdio: 'ignore' });
  const ended = once(child, 'exit');
  while (!(await answers(`redis://127.0.0.1:${port}`))) {
    if (child.exitCode !== null) throw new Error('redis-server does not start');
  }
  return {
    pid: child.pid ?? 0,
    async stop() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
