// Package files holds the data sets of lighter.datasets that are read from files: tables, arrays, texts and shards of samples.
//
// What they are made of is read by packages that know nothing of tensors. A fault of a file is a [lighter.DataError] that names
// the file and the place in it.
package files
