/*
 * Loaded in front of the server (`--import`): a run that is killed leaves no server behind. The
 * channel itself must not keep the process alive, which would hide that it does not end by itself.
 */
process.on('disconnect', () => process.exit());
process.channel?.unref();
