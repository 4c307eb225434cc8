{
  "variables": { "asan%": 0 },
  "target_defaults": {
    "cflags!": ["-fno-exceptions"],
    "cflags_cc": [
      "-std=c++20", "-Wall", "-Wextra", "-Werror", "-Wno-cast-function-type",
      "-fno-exceptions", "-fno-rtti", "-fvisibility=hidden"
    ],
    "defines": ["NAPI_VERSION=9", "OPENSSL_API_COMPAT=0x30000000L"],
    "conditions": [
      ["OS=='linux'", { "ldflags": ["-Wl,-z,now", "-Wl,--exclude-libs,ALL"] }],
      ["asan==1", {
        "cflags_cc": ["-fsanitize=address,undefined", "-fno-omit-frame-pointer", "-fno-sanitize-recover=undefined", "-g", "-O1"],
        "ldflags": ["-fsanitize=address,undefined"]
      }]
    ]
  },
  "targets": [
    { "target_name": "sluice", "sources": ["addon.cc", "loop.cc", "handle.cc", "tls_context.cc", "tls_engine.cc", "errors.cc"] },
    { "target_name": "sluice_test", "sources": ["addon_test.cc", "errors.cc"] }
  ]
}
