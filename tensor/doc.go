// Package tensor is the boundary to libtorch: the only importer of gotch, and the only package with C++.
//
// # Ownership
//
// Every tensor an operation makes belongs to the innermost [Scope] open on its OS thread and is freed, in one call,
// when that scope closes. [Tensor.Keep] makes a handle of its own that outlives the scope; its holder frees it.
// There are no finalizers. [Live] counts the handles that exist.
//
// # Errors
//
// Operations panic with a [*Error]. [Catch] and [Recover] turn it into an ordinary error at a boundary of the
// caller's choice; nothing else of this package panics.
//
// # Threads
//
// libtorch keeps grad mode, inference mode, autocast and the last error per OS thread. An open scope therefore locks
// its goroutine to the thread it runs on.
package tensor
