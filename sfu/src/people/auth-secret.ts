import { randomBytes, randomUUID } from 'node:crypto';
import { closeSync, fsyncSync, linkSync, mkdirSync, openSync, readFileSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** RFC 7518 section 3.2: a key for HS256 has as many bits as the hash, 256 at least. */
export const authSecretBytes = 32;

const fileName = 'auth-secret';

/**
 * The secret that signs tokens and keys everything derived from it: the configured one, else the one in
 * `DATA_DIR/auth-secret`, which is made at the first start, readable by its owner alone. Of two processes that start
 * together one makes it and both use it. Throws where the file cannot be made or read, or holds too little.
 */
export const authSecret = (options: {
  readonly configured: string | undefined;
  readonly dataDir: string;
}): Uint8Array => {
  if (options.configured !== undefined) return Buffer.from(options.configured, 'utf8');
  const path = join(options.dataDir, fileName);
  const text = read(path) ?? make(path, options.dataDir);
  const secret = Buffer.from(text.trim(), 'utf8');
  if (secret.length < authSecretBytes) {
    throw new Error(
      `${path} holds ${secret.length} bytes, but a secret has at least ${authSecretBytes}. ` +
        'Restore it from a backup, or remove it to have a new one made, which signs everybody out.',
    );
  }
  return secret;
};

const read = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined;
    throw error;
  }
};

/**
 * Writes a whole file under another name and links it into place: the name is there with all of its content or not at
 * all, and linking fails where another process was faster. Then that one's secret is read.
 */
const make = (path: string, folder: string): string => {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const draft = `${path}.${randomUUID()}`;
  const text = randomBytes(authSecretBytes).toString('base64url');
  try {
    const file = openSync(draft, 'wx', 0o600);
    try {
      writeSync(file, `${text}\n`);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    linkSync(draft, path);
    return text;
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw error;
    return readFileSync(path, 'utf8');
  } finally {
    removeDraft(draft);
  }
};

const removeDraft = (draft: string): void => {
  try {
    unlinkSync(draft);
  } catch (error) {
    if (!isCode(error, 'ENOENT')) throw error;
  }
};

const isCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code;
