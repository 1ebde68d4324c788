import { createPrivateKey, X509Certificate } from 'node:crypto';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { hostname, networkInterfaces } from 'node:os';
import { dirname, join } from 'node:path';
import { Problem } from '@ledge/contract';
import type { Clock, Logger } from '@ledge/kit';
import type { Certificate } from './listeners.ts';

const DAY_MS = 86_400_000;
/** Nobody renews the certificate of an appliance by hand; clients that pin it would have to be told again. */
const VALID_DAYS = 20 * 365;
/** A box without a battery clock may believe that it is earlier than it is. */
const BACKDATED_DAYS = 2 * 365;

export interface CertificateSettings {
  certificateFile: string;
  keyFile: string;
}

/**
 * The certificate for TLS: the files that the settings name, or one of our own below `secretsDir`, made when it is missing.
 * @throws Problem `config-invalid` when the named files cannot be used.
 */
export async function readCertificate(
  settings: CertificateSettings,
  secretsDir: string,
  edge: string,
  clock: Clock,
  log: Logger,
): Promise<Certificate> {
  const { certificateFile, keyFile } = settings;
  if (certificateFile !== '' || keyFile !== '') return readGiven(certificateFile, keyFile);
  const files = { cert: join(secretsDir, 'broker-certificate.pem'), key: join(secretsDir, 'broker-key.pem') };
  try {
    return checked(await readPair(files.cert, files.key));
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    if (!missing) log.warn({ err: error, file: files.cert }, 'the certificate cannot be used; a new one is made');
  }
  const made = await makeCertificate(edge, clock.now());
  await mkdir(secretsDir, { recursive: true, mode: 0o700 });
  await writeSecret(files.key, made.key);
  await writeFile(files.cert, made.cert);
  log.info({ file: files.cert, fingerprint: new X509Certificate(made.cert).fingerprint256 }, 'certificate made');
  return made;
}

async function readGiven(certificateFile: string, keyFile: string): Promise<Certificate> {
  const lacking = certificateFile === '' ? 'certificateFile' : keyFile === '' ? 'keyFile' : undefined;
  if (lacking) throw new Problem('config-invalid', `${lacking} is empty; certificateFile and keyFile are wanted together`);
  try {
    return checked(await readPair(certificateFile, keyFile));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Problem('config-invalid', `certificateFile ${certificateFile} with keyFile ${keyFile} cannot be used: ${why}`, {
      cause: error,
    });
  }
}

async function readPair(cert: string, key: string): Promise<Certificate> {
  return { cert: await readFile(cert, 'utf8'), key: await readFile(key, 'utf8') };
}

function checked(pair: Certificate): Certificate {
  const certificate = new X509Certificate(pair.cert);
  if (!certificate.checkPrivateKey(createPrivateKey(pair.key))) throw new Error('the key does not belong to the certificate');
  return pair;
}

async function writeSecret(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await writeFile(file, text, { mode: 0o600 });
  await chmod(file, 0o600);
}

async function makeCertificate(edge: string, nowMs: number): Promise<Certificate> {
  const names = new Set([edge, `${edge}.local`, hostname(), 'localhost']);
  const addresses = new Set(['127.0.0.1', '::1']);
  for (const of of Object.values(networkInterfaces())) for (const { address, scopeid } of of ?? []) if (!scopeid) addresses.add(address);
  // 4 MiB, for something done once in a box's life; a chunk of CommonJS has no names but `default`
  const { default: selfsigned } = await import('selfsigned');
  const { cert, private: key } = await selfsigned.generate([{ name: 'commonName', value: edge }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    notBeforeDate: new Date(nowMs - BACKDATED_DAYS * DAY_MS),
    notAfterDate: new Date(nowMs + VALID_DAYS * DAY_MS),
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: [...[...names].map((value) => ({ type: 2 as const, value })), ...[...addresses].map((ip) => ({ type: 7 as const, ip }))],
      },
    ],
  });
  return { cert, key };
}
