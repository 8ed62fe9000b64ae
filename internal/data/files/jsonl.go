package files

import (
	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/data/columnar"
	"github.com/lighter-go/lighter/internal/registry"
)

// JSONL is `lighter.datasets.JSONL`: the lines of a file as samples (input, target), or (input) without a target.
type JSONL struct {
	Path string `cfg:"path,required,aka=file|filename|jsonl_path" help:"the file; one of gzip is unpacked"`
	Tabular
}

// Doc is the reference's text.
func (JSONL) Doc() string {
	return `A file with a JSON object a line, held in memory. The columns are the keys, in the order in which they first come. A value is a
number, a bool, a text, or a list of numbers, as many in each line: those are so many columns of the input. A key that a
line does not have, and null, is a missing cell.
` + tabularDoc + `
    dataset:
      _target_: lighter.datasets.JSONL
      path: data/train.jsonl
      input: embedding
      target: label`
}

// Validate checks what needs no file.
func (c JSONL) Validate() error { return c.checkShapes() }

// Build reads the file.
func (c JSONL) Build(*lighter.Env) (lighter.Dataset, error) { return c.read(c.Path, columnar.JSONL{}) }

func init() { registry.Register[lighter.Dataset]("lighter.datasets.JSONL", JSONL{}) }
