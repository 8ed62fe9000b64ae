package files

import (
	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/data/columnar"
	"github.com/lighter-go/lighter/internal/registry"
)

// Parquet is `lighter.datasets.Parquet`: the rows of a Parquet file as samples (input, target), or (input) without a target.
type Parquet struct {
	Path string `cfg:"path,required,aka=file|filename|parquet_path" help:"the file"`
	Tabular
}

// Doc is the reference's text.
func (Parquet) Doc() string {
	return `A table in a file of Apache Parquet, held in memory, as pandas.DataFrame.to_parquet and others write it; only the columns
that are used are read. A column holds bools, integers, floats or texts, or lists of numbers, as many in each row: those
are so many columns of the input. Integers beyond 2^53, times, decimals and structs are refused.
` + tabularDoc + `
    dataset:
      _target_: lighter.datasets.Parquet
      path: data/train.parquet
      input: [age, income, embedding]
      target: bought`
}

// Validate checks what needs no file.
func (c Parquet) Validate() error { return c.checkShapes() }

// Build reads the file.
func (c Parquet) Build(*lighter.Env) (lighter.Dataset, error) {
	return c.read(c.Path, columnar.Parquet{})
}

func init() { registry.Register[lighter.Dataset]("lighter.datasets.Parquet", Parquet{}) }
