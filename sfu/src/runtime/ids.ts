import { randomBytes } from 'node:crypto';

/** A fresh id: 128 random bits (SE-7) in base64url, 22 characters. */
export const newId = (): string => randomBytes(16).toString('base64url');
