{
  # `sluice_asan`, because Node's common.gypi has an `asan` of its own.
  "variables": { "sluice_asan%": 0 },
  "target_defaults": {
    "cflags!": ["-Wno-unused-parameter"],
    "cflags_cc": [
      "-std=c++20", "-Wall", "-Wextra", "-Werror",
      "-fno-exceptions", "-fno-rtti", "-fvisibility=hidden"
    ],
    "cflags_cc!": ["-std=gnu++20"],
    "defines": ["NAPI_VERSION=9", "OPENSSL_API_COMPAT=0x30000000L"],
    "xcode_settings": {
      "CLANG_CXX_LANGUAGE_STANDARD": "c++20",
      "GCC_SYMBOLS_PRIVATE_EXTERN": "YES",
      "OTHER_CPLUSPLUSFLAGS": ["-Wall", "-Wextra", "-Werror"]
    },
    "conditions": [
      # Symbols that the running Node lacks fail the load (and can be caught) instead of the call (and cannot).
      ["OS=='linux'", { "ldflags": ["-Wl,-z,now", "-Wl,--exclude-libs,ALL"] }],
      ["sluice_asan==1", {
        "cflags_cc!": ["-O3"],
        "cflags_cc": [
          "-fsanitize=address,undefined", "-fno-sanitize-recover=undefined", "-fno-omit-frame-pointer", "-g", "-O1"
        ],
        "ldflags": ["-fsanitize=address,undefined"]
      }]
    ]
  },
  "targets": [
    {
      "target_name": "sluice",
      "sources": [
        "addon.cc", "napi.cc",
        "loop.cc", "loop_binding.cc", "handle.cc", "acceptor.cc", "write.cc",
        "tls_context.cc", "tls_engine.cc", "pair_store.cc", "borrowing_store.cc", "errors.cc"
      ]
    },
    { "target_name": "sluice_test", "sources": ["addon_test.cc", "napi.cc", "errors.cc"] }
  ]
}
