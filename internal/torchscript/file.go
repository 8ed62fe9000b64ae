package torchscript

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/lighter-go/lighter/internal/torchfile"
	"github.com/lighter-go/lighter/tensor"
)

// identify says what is wrong with a file that is not a whole TorchScript archive, and what to do.
func identify(path string) error {
	f, err := torchfile.Peek(path)
	var class *torchfile.ClassError
	switch {
	case err == nil:
		defer f.Close()
		return fmt.Errorf("%s was written by torch.save and holds %s. torch.jit.load needs a network with its code, of torch.jit.script(model).save(path)", path, contents(f.Root))
	case errors.Is(err, torchfile.ErrTorchScript):
		return whole(path)
	case errors.As(err, &class):
		return fmt.Errorf("%s was written by torch.save and holds an object of the class %s, whose code is Python. In Python, torch.jit.script(model).save(path) writes the network as torch.jit.load needs it", path, class.Class)
	case errors.Is(err, torchfile.ErrNotCheckpoint) && isExported(path):
		return fmt.Errorf("%s is a program of torch.export. torch.jit.load needs TorchScript: in Python, torch.jit.script(model).save(path), or torch.jit.trace(model, example).save(path)", path)
	case errors.Is(err, torchfile.ErrNotCheckpoint):
		return fmt.Errorf("%s is not a TorchScript file, as torch.jit.script(model).save(path) writes it: %w", path, err)
	}
	if errors.Is(err, torchfile.ErrDamaged) {
		return fmt.Errorf("%s is not whole, copy or save it again: %w", path, err)
	}
	return err // names the path
}

func contents(root any) string {
	d, ok := root.(*torchfile.Dict)
	if !ok {
		return "no network"
	}
	if _, ok := d.Get("pytorch-lightning_version"); ok {
		return "a Lightning checkpoint"
	}
	for _, v := range d.All() {
		if _, ok := v.(*torchfile.Tensor); ok {
			return "weights without a network, a state_dict"
		}
	}
	return "a dict of values"
}

// whole checks every record's checksum, which libtorch does not.
func whole(path string) error {
	z, err := zip.OpenReader(path)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	defer z.Close()
	for _, f := range z.File {
		r, err := f.Open()
		if err == nil {
			_, err = io.Copy(io.Discard, r)
			r.Close()
		}
		if err != nil {
			return fmt.Errorf("%s is not whole, copy or save it again: record %q: %w", path, f.Name, err)
		}
	}
	return nil
}

// isExported knows an archive of torch.export.
func isExported(path string) bool {
	z, err := zip.OpenReader(path)
	if err != nil {
		return false
	}
	defer z.Close()
	for _, f := range z.File {
		_, name, _ := strings.Cut(f.Name, "/")
		if name == "archive_format" || f.Name == "serialized_exported_program.json" {
			return true
		}
	}
	return false
}

var unknownOperator = regexp.MustCompile(`Unknown builtin op: ([\w:.]+\w)`)

// unloadable says in a line why libtorch does not take a file.
func unloadable(err error) error {
	var op *tensor.Error
	if errors.As(err, &op) {
		err = errors.New(op.Msg)
	}
	if m := unknownOperator.FindStringSubmatch(err.Error()); m != nil {
		return fmt.Errorf("its code uses the operator %s, which libtorch does not have: operators of other libraries can't be loaded", m[1])
	}
	return err
}
