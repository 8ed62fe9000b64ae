package files

import (
	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/data/columnar"
	"github.com/lighter-go/lighter/internal/registry"
)

// CSV is `lighter.datasets.CSV`: the rows of a text table as samples (input, target), or (input) without a target.
type CSV struct {
	Path string `cfg:"path,required,aka=file|filename|csv_path" help:"the file; one of gzip is unpacked"`
	Tabular
	Delimited
}

// Delimited is how the cells of a text table are written.
type Delimited struct {
	Header    *bool  `cfg:"header" help:"the first row holds names; when null, if one of its cells is no number"`
	Delimiter string `cfg:"delimiter,aka=sep|separator" help:"the character between cells"`
}

func (d Delimited) check() error {
	if !columnar.Delimits(d.Delimiter) {
		return lighter.FieldError("delimiter", "must be one character that is no quote or line break and is in no number, got %q", d.Delimiter)
	}
	return nil
}

func (d Delimited) format() columnar.CSV {
	return columnar.CSV{Delimiter: d.Delimiter, Header: d.Header}
}

// Doc is the reference's text.
func (CSV) Doc() string {
	return `A table in a text file, held in memory. A column is named by its header or its index from 0; ` + "`\"0:64\"`" + ` is a range as in
Python, and negative numbers count from the end. A cell in quotes may hold delimiters and line ends. Numbers are read as
float64, rounded right, and converted, as numpy.loadtxt and pandas do; the operations of ` + "`input_ops` and `target_ops`" + ` then are
PyTorch's in that dtype, in the order written, with a number or a list of one number a column.
` + tabularDoc + `
    dataset:
      _target_: lighter.datasets.CSV
      path: data/diabetes.csv
      target: progression
      input_ops: {mul: 20}
      target_ops: [{sub: 152}, {div: 77}]
      start: 0
      stop: 300`
}

// Validate checks what needs no file.
func (c CSV) Validate() error {
	if err := c.check(); err != nil {
		return err
	}
	return c.checkShapes()
}

// Build reads the file.
func (c CSV) Build(*lighter.Env) (lighter.Dataset, error) { return c.read(c.Path, c.format()) }

func init() {
	registry.Register[lighter.Dataset]("lighter.datasets.CSV", CSV{Delimited: Delimited{Delimiter: ","}})
}
