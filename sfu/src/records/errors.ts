/**
 * The store of records cannot answer now: it is away, locked by another process, its disk is full, or it is closed.
 * Nothing was written. To be answered with `unavailable`; trying again later may succeed.
 */
export class RecordsUnavailableError extends Error {
  override readonly name = 'RecordsUnavailableError';
}

/** What is stored is not what we write: somebody else changed it, or the disk did. Trying again does not help. */
export class CorruptRecordError extends Error {
  override readonly name = 'CorruptRecordError';
}
