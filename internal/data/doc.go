// Package data holds datasets, samplers and the loader that makes batches of them, under their PyTorch names.
//
// A dataset held in memory (a [lighter.Gatherer]) gives a whole batch by one operation a tensor; any other dataset gives
// samples, which the loader collates. The order of samples, and what is drawn from the default generator for it, is
// PyTorch's from the same seed.
//
// Tensors of a dataset belong to the scope it was built in.
package data
