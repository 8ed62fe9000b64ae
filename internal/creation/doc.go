// Package creation holds the functions that make tensors as targets of a configuration, under their PyTorch names:
// torch.tensor, torch.zeros, torch.ones, torch.empty, torch.full, torch.arange, torch.linspace, torch.eye, torch.rand, torch.randn,
// torch.randint and torch.randperm; and the field types for a dtype, a device, sizes and a number. A tensor belongs to the scope it was built
// in. Random ones draw from the default generator, in the order in which they are built.
//
// Their arguments, defaults and inferred dtypes are those of https://pytorch.org/docs/stable/torch.html#creation-ops.
package creation
