import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createCertificate } from '../../bench/lib/certificate.ts';

/** Writes a certificate that signs itself, and its key, into this folder as PEM. Answers the two files. */
export const writeCertificate = async (folder: string): Promise<{ certificate: string; key: string }> => {
  const { der, privateKey } = createCertificate();
  const [certificate, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const pem = der.toString('base64').replace(/(.{64})/g, '$1\n');
  await writeFile(certificate, `-----BEGIN CERTIFICATE-----\n${pem}\n-----END CERTIFICATE-----\n`);
  await writeFile(key, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  return { certificate, key };
};
