// Package pytorch is torch as user code sees it, in `$` expressions and in a project's Starlark: tensors with PyTorch's methods,
// operators and indexing, and the functions of torch, torch.nn.functional, torch.linalg and their like.
//
// Most of it is libtorch's own: an operator's schema tells the names, types and defaults of its arguments, and [operator] chooses
// among overloads as PyTorch's Python bindings do. What PyTorch writes in Python is written here in Go, by the same signature.
// Tensors made belong to the innermost scope.
package pytorch
