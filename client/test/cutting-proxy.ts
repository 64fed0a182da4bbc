import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export type CuttingProxy = {
  url: string;
  /** Connections destroyed so far. */
  cuts(): number;
  close(): Promise<void>;
};

/**
 * A TCP proxy that destroys connections in the middle of whatever they carry: each after so many
 * bytes of the reply as `nextCutBytes` says, none any more when it says undefined. `edit` may change
 * bytes on the way, but not their number.
 */
export async function startCuttingProxy(options: {
  upstream: string;
  nextCutBytes(): number | undefined;
  edit(bytes: Buffer): Buffer;
}): Promise<CuttingProxy> {
  const { hostname, port } = new URL(options.upstream);
  const sockets = new Set<Socket>();
  let cuts = 0;

  const server = createServer((reader) => {
    const upstream = connect(Number(port), hostname);
    let left = options.nextCutBytes();
    for (const socket of [reader, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    }
    reader.on('close', () => upstream.destroy());
    upstream.on('close', () => reader.end());
    reader.pipe(upstream);
    upstream.on('data', (bytes: Buffer) => {
      if (reader.destroyed) return;
      const edited = options.edit(bytes);
      if (left === undefined || edited.length < left) {
        reader.write(edited);
        if (left !== undefined) left -= edited.length;
        return;
      }
      cuts += 1;
      // What was written before the cut arrives: the reader has a part of a frame in its hands.
      reader.write(edited.subarray(0, left), () => reader.destroy());
      upstream.destroy();
    });
  });

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cuts: () => cuts,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
