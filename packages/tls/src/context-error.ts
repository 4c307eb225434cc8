import { X509Certificate } from 'node:crypto';
import { type SluiceError, entriesFromNative, errorFromEntries } from '@sluice/errors';
import type { NativeEntry, NativeTlsContextOptions } from '@sluice/native';
import { opensslNames } from './names.ts';

type Option =
  | 'cert'
  | 'key'
  | 'passphrase'
  | 'ca'
  | 'ciphers'
  | 'ciphersuites'
  | 'groups'
  | 'alpn'
  | 'version'
  | 'limits';

/** What a failed OpenSSL call says about the option behind it. */
const MEANING: Readonly<Record<string, readonly [Option, string]>> = {
  PEM_read_bio_X509_AUX: ['cert', 'cert is not a certificate that can be read: its first PEM block is damaged'],
  SSL_CTX_use_certificate: [
    'cert',
    'the certificate in cert was refused: its key may be too small or of an unknown kind',
  ],
  SSL_CTX_add0_chain_cert: ['cert', 'a certificate of the chain in cert was refused'],
  PEM_read_bio_PrivateKey: ['key', 'key cannot be read: it is damaged, or not a private key'],
  SSL_CTX_use_PrivateKey: ['key', 'key was refused: it does not belong to the certificate in cert'],
  SSL_CTX_check_private_key: ['key', 'key does not belong to the certificate in cert'],
  X509_STORE_add_cert: ['ca', 'a certificate in ca was refused'],
  SSL_CTX_add_client_CA: ['ca', 'a certificate in ca was refused'],
  SSL_CTX_set_default_verify_paths: ['ca', "OpenSSL's default roots cannot be used: give ca"],
  SSL_CTX_set_cipher_list: ['ciphers', 'ciphers names no cipher that exists here'],
  SSL_CTX_set_ciphersuites: ['ciphersuites', 'ciphersuites names a suite that does not exist here'],
  SSL_CTX_set1_groups_list: ['groups', 'groups names a group that does not exist here'],
  SSL_CTX_set_alpn_protos: ['alpn', 'alpn was refused'],
  SSL_CTX_set_min_proto_version: ['version', 'minVersion was refused'],
  SSL_CTX_set_max_proto_version: ['version', 'maxVersion was refused'],
};

/** The error for a context that OpenSSL refused: names the option and what to do about it. */
export function configurationError(
  operation: string,
  native: readonly NativeEntry[],
  options: NativeTlsContextOptions,
): SluiceError {
  const [option, says] = meaning(operation, options);
  const value = option === 'ciphers' || option === 'ciphersuites' || option === 'groups' ? options[option] : undefined;
  return errorFromEntries(entriesFromNative(native), {
    layer: 'tls',
    names: opensslNames,
    operation: 'TlsContext',
    what: `CONFIG_${option.toUpperCase()}`,
    blame: 'local',
    remedy: 'fix',
    message: `TlsContext: ${says}${value === undefined ? '' : `: '${value.slice(0, 200)}'`} (${operation})`,
  });
}

/** The error for a connection that could not be made from a good context. */
export function engineError(operation: string, native: readonly NativeEntry[], servername: string): SluiceError {
  const name = operation.startsWith('SSL_set') || operation.startsWith('X509_VERIFY_PARAM');
  return errorFromEntries(entriesFromNative(native), {
    layer: 'tls',
    names: opensslNames,
    operation: 'TlsSession',
    what: name ? 'CONFIG_SERVERNAME' : 'ENGINE',
    blame: name ? 'local' : 'system',
    remedy: name ? 'fix' : 'retry',
    message: name
      ? `TlsSession: servername '${servername.slice(0, 200)}' cannot be used as a name (${operation})`
      : `TlsSession: no engine could be made, most likely for lack of memory (${operation})`,
  });
}

function meaning(operation: string, options: NativeTlsContextOptions): readonly [Option, string] {
  if (operation === 'PEM_read_bio_PrivateKey' && options.key?.includes('ENCRYPTED') === true) {
    return options.passphrase === undefined
      ? ['passphrase', 'key is encrypted: give its passphrase']
      : ['passphrase', 'key cannot be decrypted with passphrase'];
  }
  // One function reads both the chain behind the leaf and the roots.
  if (operation === 'PEM_read_bio_X509') {
    return readable(options.cert)
      ? ['ca', 'ca holds a PEM block that is not a certificate, or a damaged one']
      : ['cert', 'the chain behind the leaf in cert holds a damaged certificate'];
  }
  return MEANING[operation] ?? ['limits', 'OpenSSL refused the options'];
}

/** Whether each certificate in a bundle can be read. */
function readable(bundle: string | undefined): boolean {
  const blocks = bundle?.match(/-----BEGIN [^-]+-----[^-]*-----END [^-]+-----/gu) ?? [];
  try {
    for (const block of blocks) void new X509Certificate(block);
    return true;
  } catch {
    return false;
  }
}
