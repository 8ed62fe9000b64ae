// Package torchfile reads and writes the files of torch.save: a zip archive
// that holds a pickle (the structure) and one record per storage (the tensors'
// bytes). The format is PyTorch's since 1.6, see
// https://docs.pytorch.org/docs/stable/notes/serialization.html. The one before
// it, pickles followed by the storages, is read too (legacy.go).
//
// What [Write] writes opens in Python with torch.load(path, weights_only=True).
//
// [Open] reads a pickle as data: a class is known to this package (see
// classes.go) or the file is refused, and no class is ever a callable. Every
// record's CRC-32 is checked before the caller sees a value, and once more
// when a storage's bytes are taken, so that a file that changes meanwhile is
// found out.
//
// The package knows no tensor library. A tensor here is a data type, a shape,
// strides and a [Storage] of bytes, little-endian.
package torchfile

import (
	"errors"
	"fmt"
)

// The kinds of refusal a caller may want to tell apart. Errors wrap them.
var (
	// ErrDamaged: the file was a checkpoint once and is not whole any more.
	ErrDamaged = errors.New("checkpoint is damaged")
	// ErrTorchScript: the file is a program saved with torch.jit.save.
	ErrTorchScript = errors.New("file is a TorchScript archive (torch.jit.save), not a checkpoint")
	// ErrTar: the file is a tar archive, from torch.save before PyTorch 0.2.
	ErrTar = errors.New("file is in the tar format of the first versions of PyTorch")
	// ErrNotCheckpoint: the file is something else altogether.
	ErrNotCheckpoint = errors.New("file is not a PyTorch checkpoint")
)

// ClassError reports a pickle that names a class or function outside the
// allow-list, or calls one that may only be named.
type ClassError struct {
	Class string // in full: "os.system"
}

func (e *ClassError) Error() string {
	return fmt.Sprintf("checkpoint names the class %q, which lighter does not load: it could run code", e.Class)
}
