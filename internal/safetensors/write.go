package safetensors

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/lighter-go/lighter/internal/atomicfile"
)

// Save writes a file, whole or not at all: see [atomicfile.Write].
func Save(path string, tensors []Tensor, metadata map[string]string) error {
	return atomicfile.Write(path, func(w io.Writer) error { return Write(w, tensors, metadata) })
}

// Write writes what Python's safetensors writes of the same tensors: those of large elements first, so that all are aligned,
// then by name, after a header padded to 8 bytes. Tensors that share memory are written once each. The names and types are
// checked before the first byte goes out.
func Write(w io.Writer, tensors []Tensor, metadata map[string]string) error {
	tensors = slices.Clone(tensors)
	slices.SortFunc(tensors, func(a, b Tensor) int {
		return cmp.Or(cmp.Compare(rank(b.DType), rank(a.DType)), strings.Compare(a.Name, b.Name))
	})
	header, err := headerOf(tensors, metadata)
	if err != nil {
		return err
	}
	if _, err := w.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(header)))); err != nil {
		return err
	}
	if _, err := w.Write(header); err != nil {
		return err
	}
	for _, t := range tensors {
		b, err := t.Bytes()
		if err == nil {
			_, err = w.Write(b)
		}
		if err != nil {
			return fmt.Errorf("tensor %q: %w", t.Name, err)
		}
	}
	return nil
}

func headerOf(tensors []Tensor, metadata map[string]string) ([]byte, error) {
	b := []byte{'{'}
	if metadata != nil {
		text, err := textOf(metadata)
		if err != nil {
			return nil, err
		}
		b = append(append(b, `"`+metadataKey+`":`...), text...)
	}
	seen := map[string]bool{}
	end := int64(0)
	for _, t := range tensors {
		switch {
		case seen[t.Name]:
			return nil, fmt.Errorf("two tensors are named %q", t.Name)
		case t.Name == metadataKey, !utf8.ValidString(t.Name):
			return nil, fmt.Errorf("a tensor cannot be named %q in a safetensors file", t.Name)
		case rank(t.DType) < 0:
			return nil, fmt.Errorf("tensor %q has the type %v, which safetensors does not have", t.Name, t.DType)
		}
		seen[t.Name] = true
		name, err := textOf(t.Name)
		if err != nil {
			return nil, err
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		begin := end
		end += t.Numel() * t.DType.Size()
		shape := strings.ReplaceAll(fmt.Sprint(t.Shape), " ", ",")
		b = fmt.Appendf(b, `%s:{"dtype":"%s","shape":%s,"data_offsets":[%d,%d]}`, name, dtypes[rank(t.DType)].name, shape, begin, end)
	}
	b = append(b, '}')
	for len(b)%8 != 0 {
		b = append(b, ' ')
	}
	if len(b) > maxHeader {
		return nil, fmt.Errorf("a header of %d bytes is more than the %d that safetensors reads", len(b), maxHeader)
	}
	return b, nil
}

// textOf is JSON without the escapes for HTML.
func textOf(v any) (string, error) {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return strings.TrimSuffix(b.String(), "\n"), err
}
