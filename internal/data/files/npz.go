package files

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/data"
	"github.com/lighter-go/lighter/internal/registry"
)

// NPZ is `lighter.datasets.NPZ`: the rows of arrays in a NumPy archive as samples (input, target), or (input) without a target.
type NPZ struct {
	Path string `cfg:"path,required,aka=file|filename|npz_path" help:"the file"`
	Arrays
}

// Doc is the reference's text.
func (NPZ) Doc() string {
	return `Arrays that numpy.savez or numpy.savez_compressed wrote, held in memory; an array is named as it was given to savez, arr_0 and so on where
it had no name. The first dimension counts the samples. The rest is as in lighter.datasets.NPY.

    dataset:
      _target_: lighter.datasets.NPZ
      path: data/mnist.npz
      input: x_train
      target: y_train
      input_shape: [1, 28, 28]
      input_ops: {div: 255}`
}

// Validate checks what needs no file.
func (c NPZ) Validate() error { return c.checkShapes() }

// Build reads the arrays.
func (c NPZ) Build(*lighter.Env) (lighter.Dataset, error) {
	f, err := os.Open(c.Path)
	if err != nil {
		return nil, data.Unreadable("path", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is no file", c.Path)
	}
	if err != nil {
		return nil, data.Unreadable("path", err)
	}
	z, err := openNPZ(c.Path, f, info.Size())
	if err != nil {
		return nil, data.Unreadable("path", err)
	}
	return c.build(c.Path, z)
}

// npzFile is an archive of .npy files.
type npzFile struct {
	path   string
	size   int64
	arrays []*zip.File
}

func openNPZ(path string, r io.ReaderAt, size int64) (*npzFile, error) {
	z, err := zip.NewReader(r, size)
	if err != nil {
		head := make([]byte, len(npyMagic))
		n, _ := r.ReadAt(head, 0)
		switch {
		case string(head[:n]) == npyMagic:
			return nil, fmt.Errorf("%s is a .npy file: use lighter.datasets.NPY", path)
		case bytes.HasPrefix(head[:n], []byte("PK")):
			return nil, fmt.Errorf("%s is truncated or damaged: %w", path, err)
		}
		return nil, fmt.Errorf("%s is no .npz file: %w", path, err)
	}
	f := &npzFile{path: path, size: size}
	for _, file := range z.File {
		if strings.HasSuffix(file.Name, ".npy") {
			f.arrays = append(f.arrays, file)
		}
	}
	if len(f.arrays) == 0 {
		return nil, fmt.Errorf("%s is a zip archive without arrays (.npy)", path)
	}
	if err := distinctNames(f.names()); err != nil {
		return nil, fmt.Errorf("%s is damaged: %w", path, err)
	}
	return f, nil
}

func distinctNames(names []string) error {
	seen := map[string]bool{}
	for _, name := range names {
		if seen[name] {
			return fmt.Errorf("it holds two arrays %q", name)
		}
		seen[name] = true
	}
	return nil
}

func (f *npzFile) names() []string {
	names := make([]string, len(f.arrays))
	for i, file := range f.arrays {
		names[i] = strings.TrimSuffix(file.Name, ".npy")
	}
	return names
}

// open unpacks an array into memory, as much as there is of it, and checks its sum.
func (f *npzFile) open(name string) (arrayReader, error) {
	for _, file := range f.arrays {
		if strings.TrimSuffix(file.Name, ".npy") != name {
			continue
		}
		where := f.path + ": " + file.Name
		r, err := file.Open()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", where, err)
		}
		defer r.Close()
		b := &bytes.Buffer{}
		if file.Method == zip.Store {
			b.Grow(int(min(file.UncompressedSize64, uint64(f.size))) + bytes.MinRead)
		}
		if _, err := b.ReadFrom(r); err != nil {
			return nil, fmt.Errorf("%s is damaged or truncated: %w", where, err)
		}
		return readNPY(where, bytes.NewReader(b.Bytes()), int64(b.Len()))
	}
	return nil, errors.New("no such array")
}

func (f *npyFile) dims() []int64 { return f.shape }

func init() { registry.Register[lighter.Dataset]("lighter.datasets.NPZ", NPZ{}) }
