#include "tls_context.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <string>

#include "errors.h"
#include "napi.h"

namespace sluice {
namespace {

constexpr napi_type_tag kContextTag = {0x5c1f0f6ab1d84a2d, 0x9a70c2f4e1b35d17};

// Text that is wiped when it is no longer needed.
struct Secret {
  std::string text;
  ~Secret() { OPENSSL_cleanse(text.data(), text.size()); }
};

struct Options {
  bool server = false;
  std::string cert;
  Secret key;
  Secret passphrase;
  bool has_passphrase = false;
  std::string ca;
  int32_t min_version = 0;
  int32_t max_version = 0;
  std::string ciphers;
  std::string ciphersuites;
  std::string groups;
  std::vector<uint8_t> alpn;
  int32_t verify = 0;
  int32_t tickets = 0;
  int32_t cert_list_bytes_max = 0;
  int32_t send_fragment_bytes_max = 0;
  uint64_t extra_options = 0;
};

// Reads properties of one options object. The first wrong type throws a TypeError that names the property; after it
// every read does nothing, so that only the end needs a look at `ok`.
class OptionReader {
 public:
  OptionReader(napi_env env, napi_value object) : env_(env), object_(object) {
    napi_valuetype type;
    SLUICE_NAPI(env, napi_typeof(env, object, &type));
    if (type != napi_object) Wrong("options", "an object");
  }
  bool ok() const { return ok_; }

  void Bool(const char* name, bool* out) {
    napi_value value = nullptr;
    if (Get(name, &value) && napi_get_value_bool(env_, value, out) != napi_ok) Wrong(name, "a boolean");
  }
  void Int(const char* name, int32_t* out) {
    napi_value value = nullptr;
    if (Get(name, &value) && napi_get_value_int32(env_, value, out) != napi_ok) Wrong(name, "a number");
  }
  // Absent is as empty; returns whether it was there.
  bool String(const char* name, std::string* out) {
    napi_value value = nullptr;
    if (!Get(name, &value) || IsUndefined(value)) return false;
    size_t length = 0;
    if (napi_get_value_string_utf8(env_, value, nullptr, 0, &length) != napi_ok) {
      Wrong(name, "a string");
      return false;
    }
    out->resize(length);
    SLUICE_NAPI(env_, napi_get_value_string_utf8(env_, value, out->data(), length + 1, &length));
    // OpenSSL would read up to the NUL and leave the rest out without a word.
    if (out->find('\0') != std::string::npos) Wrong(name, "a string without NUL characters");
    return true;
  }
  void Bytes(const char* name, std::vector<uint8_t>* out) {
    napi_value value = nullptr;
    if (!Get(name, &value) || IsUndefined(value)) return;
    sluice::Bytes view;
    if (!ReadView(env_, value, &view)) {
      Wrong(name, "a Uint8Array");
      return;
    }
    out->assign(view.data, view.data + view.length);
  }
  void Decimal(const char* name, uint64_t* out) {
    std::string text;
    if (!String(name, &text)) return;
    char* end = nullptr;
    errno = 0;
    *out = std::strtoull(text.c_str(), &end, 10);
    if (text.empty() || *end != '\0' || errno != 0) Wrong(name, "a decimal number of at most 64 bits");
  }

 private:
  bool Get(const char* name, napi_value* out) {
    if (!ok_) return false;
    // A getter of the object's may throw; its exception is then what the caller sees.
    ok_ = napi_get_named_property(env_, object_, name, out) == napi_ok;
    return ok_;
  }
  bool IsUndefined(napi_value value) const {
    napi_valuetype type;
    SLUICE_NAPI(env_, napi_typeof(env_, value, &type));
    return type == napi_undefined;
  }
  void Wrong(const char* name, const char* what) {
    ok_ = false;
    const std::string text = std::string("tlsContext: ") + name + " must be " + what;
    SLUICE_NAPI(env_, napi_throw_type_error(env_, "SLUICE_NATIVE_ARGUMENT", text.c_str()));
  }
  napi_env env_;
  napi_value object_;
  bool ok_ = true;
};

bool ReadOptions(napi_env env, napi_value object, Options* out) {
  OptionReader reader(env, object);
  reader.Bool("server", &out->server);
  reader.String("cert", &out->cert);
  reader.String("key", &out->key.text);
  out->has_passphrase = reader.String("passphrase", &out->passphrase.text);
  reader.String("ca", &out->ca);
  reader.Int("minVersion", &out->min_version);
  reader.Int("maxVersion", &out->max_version);
  reader.String("ciphers", &out->ciphers);
  reader.String("ciphersuites", &out->ciphersuites);
  reader.String("groups", &out->groups);
  reader.Bytes("alpn", &out->alpn);
  reader.Int("verify", &out->verify);
  reader.Int("tickets", &out->tickets);
  reader.Int("certListBytesMax", &out->cert_list_bytes_max);
  reader.Int("sendFragmentBytesMax", &out->send_fragment_bytes_max);
  reader.Decimal("extraOptions", &out->extra_options);
  return reader.ok();
}

// Never prompts: without a passphrase, or with one too long for OpenSSL's buffer, decryption fails.
int GivePassphrase(char* buffer, int size, int, void* data) {
  const auto* options = static_cast<const Options*>(data);
  const std::string& text = options->passphrase.text;
  if (!options->has_passphrase || text.size() > static_cast<size_t>(size)) return -1;
  std::memcpy(buffer, text.data(), text.size());
  return static_cast<int>(text.size());
}

// A certificate in memory needs no passphrase; one must not be asked for at the terminal all the same.
int GiveNothing(char*, int, int, void*) { return -1; }

BioOwned Reader(const std::string& text) {
  return BioOwned(text.size() > INT_MAX ? nullptr : BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// Whether the last read failed only because no further PEM block follows.
bool AtEndOfPem() { return ErrorBracket::PassIf(ERR_LIB_PEM, PEM_R_NO_START_LINE); }

// Each of the functions below does one part of the configuration, and returns nullptr, or the name of the OpenSSL call
// that failed.

const char* UseCertificates(SSL_CTX* context, const std::string& pem) {
  const BioOwned bio = Reader(pem);
  if (!bio) return "BIO_new_mem_buf";
  const X509Owned leaf(PEM_read_bio_X509_AUX(bio.get(), nullptr, GiveNothing, nullptr));
  if (!leaf) return "PEM_read_bio_X509_AUX";
  if (SSL_CTX_use_certificate(context, leaf.get()) != 1) return "SSL_CTX_use_certificate";
  while (X509Owned issuer{PEM_read_bio_X509(bio.get(), nullptr, GiveNothing, nullptr)}) {
    if (SSL_CTX_add0_chain_cert(context, issuer.get()) != 1) return "SSL_CTX_add0_chain_cert";
    static_cast<void>(issuer.release());
  }
  return AtEndOfPem() ? nullptr : "PEM_read_bio_X509";
}

const char* UseKey(SSL_CTX* context, Options* options) {
  const BioOwned bio = Reader(options->key.text);
  if (!bio) return "BIO_new_mem_buf";
  const KeyOwned key(PEM_read_bio_PrivateKey(bio.get(), nullptr, GivePassphrase, options));
  if (!key) return "PEM_read_bio_PrivateKey";
  return SSL_CTX_use_PrivateKey(context, key.get()) == 1 ? nullptr : "SSL_CTX_use_PrivateKey";
}

const char* UseIdentity(SSL_CTX* context, Options* options) {
  if (!options->cert.empty()) {
    if (const char* failed = UseCertificates(context, options->cert)) return failed;
  }
  if (!options->key.text.empty()) {
    if (const char* failed = UseKey(context, options)) return failed;
  }
  if (options->cert.empty() && options->key.text.empty()) return nullptr;
  return SSL_CTX_check_private_key(context) == 1 ? nullptr : "SSL_CTX_check_private_key";
}

// A server also tells its clients the names of the roots it trusts.
const char* TrustBundle(SSL_CTX* context, const std::string& pem, bool server) {
  const BioOwned bio = Reader(pem);
  if (!bio) return "BIO_new_mem_buf";
  X509_STORE* store = SSL_CTX_get_cert_store(context);
  bool any = false;
  while (const X509Owned root{PEM_read_bio_X509(bio.get(), nullptr, GiveNothing, nullptr)}) {
    if (X509_STORE_add_cert(store, root.get()) != 1) return "X509_STORE_add_cert";
    if (server && SSL_CTX_add_client_CA(context, root.get()) != 1) return "SSL_CTX_add_client_CA";
    any = true;
  }
  return any && AtEndOfPem() ? nullptr : "PEM_read_bio_X509";
}

// The default locations are OpenSSL's (SSL_CERT_FILE, SSL_CERT_DIR, the directory it was built for). The roots that
// Node brings along are not among them: who wants those passes `tls.rootCertificates` as the bundle.
const char* UseTrust(SSL_CTX* context, const Options& options) {
  int mode = SSL_VERIFY_NONE;
  if (options.verify >= 1) mode |= SSL_VERIFY_PEER;
  if (options.verify >= 2) mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
  SSL_CTX_set_verify(context, mode, nullptr);
  if (!options.ca.empty()) return TrustBundle(context, options.ca, options.server);
  if (mode == SSL_VERIFY_NONE) return nullptr;
  return SSL_CTX_set_default_verify_paths(context) == 1 ? nullptr : "SSL_CTX_set_default_verify_paths";
}

// Called while a server reads a ClientHello that offers protocols.
int SelectProtocol(SSL*, const unsigned char** out, unsigned char* out_length, const unsigned char* offered,
                   unsigned int offered_length, void* data) {
  const auto& own = static_cast<const TlsContext*>(data)->alpn;
  unsigned char* chosen = nullptr;
  const int outcome = SSL_select_next_proto(&chosen, out_length, own.data(), static_cast<unsigned int>(own.size()),
                                            offered, offered_length);
  *out = chosen;
  return outcome == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

const char* UseProtocols(TlsContext* context, std::vector<uint8_t> alpn) {
  if (alpn.empty()) return nullptr;
  // On a server this only checks the form. It is the one function of OpenSSL's that returns 0 for success.
  SSL_CTX* ssl_context = context->ssl_context.get();
  if (SSL_CTX_set_alpn_protos(ssl_context, alpn.data(), static_cast<unsigned int>(alpn.size())) != 0) {
    return "SSL_CTX_set_alpn_protos";
  }
  context->alpn = std::move(alpn);
  if (context->server) SSL_CTX_set_alpn_select_cb(ssl_context, SelectProtocol, context);
  return nullptr;
}

const char* UseVersionsAndCiphers(SSL_CTX* context, const Options& options) {
  if (SSL_CTX_set_min_proto_version(context, options.min_version) != 1) return "SSL_CTX_set_min_proto_version";
  if (SSL_CTX_set_max_proto_version(context, options.max_version) != 1) return "SSL_CTX_set_max_proto_version";
  if (!options.ciphers.empty() && SSL_CTX_set_cipher_list(context, options.ciphers.c_str()) != 1) {
    return "SSL_CTX_set_cipher_list";
  }
  if (!options.ciphersuites.empty() && SSL_CTX_set_ciphersuites(context, options.ciphersuites.c_str()) != 1) {
    return "SSL_CTX_set_ciphersuites";
  }
  if (!options.groups.empty() && SSL_CTX_set1_groups_list(context, options.groups.c_str()) != 1) {
    return "SSL_CTX_set1_groups_list";
  }
  return nullptr;
}

const char* UseLimits(SSL_CTX* context, const Options& options) {
  // Tickets without state: nothing is cached. A server that verifies refuses resumption without an id context.
  static constexpr unsigned char kSessionIdContext[] = "sluice";
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  if (SSL_CTX_set_session_id_context(context, kSessionIdContext, sizeof(kSessionIdContext) - 1) != 1) {
    return "SSL_CTX_set_session_id_context";
  }
  if (options.tickets < 0 || SSL_CTX_set_num_tickets(context, static_cast<size_t>(options.tickets)) != 1) {
    return "SSL_CTX_set_num_tickets";
  }
  if (options.cert_list_bytes_max <= 0) return "SSL_CTX_set_max_cert_list";
  SSL_CTX_set_max_cert_list(context, options.cert_list_bytes_max);
  if (SSL_CTX_set_max_send_fragment(context, options.send_fragment_bytes_max) != 1) {
    return "SSL_CTX_set_max_send_fragment";
  }
  return nullptr;
}

const char* Configure(TlsContext* context, Options* options) {
  context->ssl_context.reset(SSL_CTX_new(TLS_method()));
  context->server = options->server;
  SSL_CTX* ssl_context = context->ssl_context.get();
  if (ssl_context == nullptr) return "SSL_CTX_new";
  SSL_CTX_set_mode(ssl_context,
                   SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_RELEASE_BUFFERS);
  // Not SSL_OP_IGNORE_UNEXPECTED_EOF: a truncated connection must not look like a finished one.
  SSL_CTX_set_options(ssl_context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | options->extra_options);
  if (const char* failed = UseVersionsAndCiphers(ssl_context, *options)) return failed;
  if (const char* failed = UseLimits(ssl_context, *options)) return failed;
  if (const char* failed = UseIdentity(ssl_context, options)) return failed;
  if (const char* failed = UseTrust(ssl_context, *options)) return failed;
  return UseProtocols(context, std::move(options->alpn));
}

void FreeContext(napi_env, void* data, void*) {
  const ErrorBracket bracket;
  delete static_cast<std::shared_ptr<TlsContext>*>(data);
}

napi_value CreateTlsContext(napi_env env, napi_callback_info info) {
  const Args<1> args(env, info);
  Options options;
  if (!ReadOptions(env, args[0], &options)) return nullptr;
  ErrorBracket bracket;
  auto context = std::make_shared<TlsContext>();
  if (const char* failed = Configure(context.get(), &options)) return bracket.Failure(env, failed);

  Environment* environment = Environment::Get(env);
  napi_value instance = environment->NewInstance(env, environment->tls_context);
  if (instance == nullptr) return nullptr;
  auto holder = std::make_unique<std::shared_ptr<TlsContext>>(std::move(context));
  if (napi_wrap(env, instance, holder.get(), FreeContext, nullptr, nullptr) != napi_ok) return nullptr;
  static_cast<void>(holder.release());
  SLUICE_NAPI(env, napi_type_tag_object(env, instance, &kContextTag));
  return instance;
}

}  // namespace

std::shared_ptr<TlsContext> GetTlsContext(napi_env env, napi_value value) {
  napi_valuetype type;
  bool tagged = false;
  void* data = nullptr;
  SLUICE_NAPI(env, napi_typeof(env, value, &type));
  if (type != napi_object) return nullptr;
  if (napi_check_object_type_tag(env, value, &kContextTag, &tagged) != napi_ok || !tagged) return nullptr;
  if (napi_unwrap(env, value, &data) != napi_ok) return nullptr;
  return *static_cast<std::shared_ptr<TlsContext>*>(data);
}

void ExportTlsContext(napi_env env, napi_value exports, Environment* environment) {
  napi_value constructor = nullptr;
  SLUICE_NAPI(env, napi_define_class(env, "TlsContext", NAPI_AUTO_LENGTH, Environment::Construct, nullptr, 0, nullptr,
                                     &constructor));
  SLUICE_NAPI(env, napi_create_reference(env, constructor, 1, &environment->tls_context));
  SetFunction(env, exports, "tlsContext", CreateTlsContext);
}

}  // namespace sluice
