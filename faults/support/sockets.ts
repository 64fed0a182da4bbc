import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Sockets that a process has open. Linux only. */
export function socketsOf(pid: number): number {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).filter((name) => {
    try {
      return readlinkSync(`${folder}/${name}`).startsWith('socket:');
    } catch {
      // Closed while we looked.
      return false;
    }
  }).length;
}

/** How many files a process may have open. Linux only. */
export function openFilesMax(): number {
  const [, max] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
  return Number(max);
}
