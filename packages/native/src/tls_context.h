// An SSL_CTX and what its callbacks need.
#ifndef SLUICE_TLS_CONTEXT_H_
#define SLUICE_TLS_CONTEXT_H_

#include <node_api.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "addon.h"
#include "openssl_owned.h"

namespace sluice {

// Shared by the JavaScript object and every engine made from it, whichever goes last.
struct TlsContext {
  SslContextOwned ssl_context;
  bool server = false;
  // The server's own application protocols in wire format, in its order of preference.
  std::vector<uint8_t> alpn;
};

// Adds `tlsContext` to the exports.
void ExportTlsContext(napi_env env, napi_value exports, Environment* environment);

// The context behind a value, or nullptr when it is something else.
std::shared_ptr<TlsContext> GetTlsContext(napi_env env, napi_value value);

}  // namespace sluice

#endif  // SLUICE_TLS_CONTEXT_H_
