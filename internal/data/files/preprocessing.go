package files

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/data"
	"github.com/lighter-go/lighter/internal/data/columnar"
	"github.com/lighter-go/lighter/internal/registry"
)

// Preprocessor is what a Preprocessing builds: what was learnt of a table's columns. A contract of this package's data sets.
type Preprocessor interface {
	// takesText says whether a column, by its key, is read as texts.
	takesText(key string) bool
	// apply makes the numbers of column i from row start to stop; v are those that the file has, of a column of numbers.
	apply(t *columnar.Table, i, start, stop int, v values) (values, error)
}

// Preprocessing is `lighter.datasets.Preprocessing`: numbers for texts, and numbers of like size, learnt from the training part
// as sklearn's encoders, scalers and SimpleImputer learn them.
type Preprocessing struct {
	Path string `cfg:"path,required,aka=file|filename|fit_path" help:"the training part: a .csv, .tsv, .txt, .jsonl or .parquet file, or its .gz"`
	Delimited
	Start       *int    `cfg:"start" help:"first row of the training part"`
	Stop        *int    `cfg:"stop" help:"one past its last row; negative counts from the end"`
	Categorical Columns `cfg:"categorical,aka=ordinal|labels" help:"columns whose categories become ids, in sorted order from 0"`
	OneHot      Columns `cfg:"one_hot,aka=onehot" help:"columns whose categories become a column each, of 0 and 1"`
	Standard    Columns `cfg:"standard,aka=standardize|standard_scale" help:"columns to shift to mean 0 and scale to standard deviation 1"`
	MinMax      Columns `cfg:"minmax,aka=min_max|normalize" help:"columns to scale to the range from 0 to 1"`
	Impute      Impute  `cfg:"impute,aka=fillna|fill" help:"missing cells by column: mean, median, most_frequent or a value"`
	Unknown     string  `cfg:"unknown,aka=handle_unknown" help:"a category that the training part lacks is an error, or has an id of its own" oneof:"error|id"`
}

// Doc is the reference's text.
func (Preprocessing) Doc() string {
	return `What is learnt of a table's columns from the training part alone, and then done to every part: categories become ids
(` + "`categorical`" + `, as sklearn's OrdinalEncoder) or columns of 0 and 1 (` + "`one_hot`" + `), numbers are scaled (` + "`standard`" + ` is StandardScaler,
` + "`minmax`" + ` MinMaxScaler), missing cells filled in (` + "`impute`" + `, as SimpleImputer; before scaling). Other columns stay as they are.
Columns are named as in the data sets: by name, index, list or range; a target may be among them.

A category's id is its place among the training part's categories, sorted: numbers by size, texts by their bytes. With
` + "`unknown: id`" + ` all others, and missing cells, have the id after the last one (so the ids are one more than the categories), or 0 in
every column of one_hot. As in pandas, statistics leave missing cells out. The training part is a file, or with start and stop a
range of its rows; a data set that random_split deals out has none of its own, so split the file.

It is given once and referred to by each data set. What it learnt is saved in every checkpoint: test, validate and predict with
--ckpt_path use that and do not need the training file; neither does a fit that goes on from a checkpoint.

    vars:
      columns:
        _target_: lighter.datasets.Preprocessing
        path: data/train.csv
        categorical: species
        one_hot: [city]
        standard: [age, income]
        impute: {age: median, city: unknown}
        unknown: id

    data:
      _target_: lighter.LighterDataModule
      train_dataloader:
        _target_: torch.utils.data.DataLoader
        batch_size: 32
        shuffle: true
        dataset: {_target_: lighter.datasets.CSV, path: data/train.csv, target: species, preprocessing: "@vars::columns"}
      predict_dataloader:
        _target_: torch.utils.data.DataLoader
        batch_size: 32
        dataset: {_target_: lighter.datasets.CSV, path: data/new.csv, input: [city, age, income], preprocessing: "@vars::columns"}`
}

// Validate checks what needs no file.
func (c Preprocessing) Validate() error {
	if !c.Categorical.given() && !c.OneHot.given() && !c.Standard.given() && !c.MinMax.given() && len(c.Impute) == 0 {
		return lighter.FieldError("categorical", "there is nothing to do: give categorical, one_hot, standard, minmax or impute")
	}
	if _, err := c.format(); err != nil {
		return err
	}
	return c.check()
}

// format is that of the training part, by its name.
func (c Preprocessing) format() (format, error) {
	name := strings.TrimSuffix(strings.ToLower(c.Path), ".gz")
	switch ext := filepath.Ext(name); ext {
	case ".csv", ".txt", ".data":
		return c.Delimited.format(), nil
	case ".tsv", ".tab":
		return columnar.CSV{Delimiter: "\t", Header: c.Header}, nil
	case ".jsonl", ".ndjson", ".json":
		return columnar.JSONL{}, nil
	case ".parquet", ".pq":
		return columnar.Parquet{}, nil
	default:
		return nil, lighter.FieldError("path", "must end in .csv, .tsv, .txt, .jsonl or .parquet, which tells how to read it; got %q", c.Path)
	}
}

// Build takes what was learnt from the checkpoint that the stage starts from, or learns it from the training part.
func (c Preprocessing) Build(env *lighter.Env) (Preprocessor, error) {
	arguments := fmt.Sprintf("categorical %v, one_hot %v, standard %v, minmax %v, impute %v", c.Categorical, c.OneHot, c.Standard, c.MinMax, c.Impute)
	p := &learnt{columns: map[string]*learntColumn{}, unknownID: c.Unknown == "id"}
	if state := env.Learnt(); state != nil {
		if state["arguments"] != arguments {
			return nil, lighter.FieldError("path", "the checkpoint holds what was learnt with other arguments (%v; here %s): use its configuration, or fit without it", state["arguments"], arguments)
		}
		if err := p.load(state); err != nil {
			return nil, lighter.FieldError("path", "what the checkpoint holds of it is damaged: %w", &lighter.DataError{Err: err})
		}
	} else if err := c.learn(p); err != nil {
		return nil, err
	}
	state := p.save()
	state["arguments"] = arguments
	env.Keep(state)
	return p, nil
}

// learn reads the training part.
func (c Preprocessing) learn(p *learnt) error {
	f, err := c.format()
	if err != nil {
		return err
	}
	var wrong error
	want := func(names []string, width int) ([]columnar.Kind, error) {
		kinds := make([]columnar.Kind, width)
		wrong = c.roles(names, width, p)
		for i := range kinds {
			switch col := p.columns[keyOf(names, i)]; {
			case col == nil:
			case p.takesText(keyOf(names, i)):
				kinds[i] = columnar.Text
			default:
				kinds[i] = columnar.Number
			}
		}
		return kinds, wrong
	}
	t, err := f.Read(c.Path, want)
	switch {
	case wrong != nil:
		return wrong
	case err != nil:
		return data.Unreadable("path", err)
	case t.Rows == 0:
		return data.Unreadable("path", fmt.Errorf("%s has no rows", c.Path))
	}
	start, stop, err := rows(c.Start, c.Stop, t.Rows, c.Path)
	if err != nil {
		return err
	}
	names := t.Names()
	for i := range t.Columns {
		if col := p.columns[keyOf(names, i)]; col != nil {
			if err := col.learn(t, i, start, stop); err != nil {
				return data.Unreadable("path", err)
			}
		}
	}
	return nil
}

// roles says what is done to which column.
func (c Preprocessing) roles(names []string, width int, p *learnt) error {
	for _, group := range []struct {
		role    role
		columns Columns
	}{{categorical, c.Categorical}, {oneHot, c.OneHot}, {standard, c.Standard}, {minMax, c.MinMax}} {
		if !group.columns.given() {
			continue
		}
		indices, err := group.columns.of(width, names)
		if err != nil {
			return lighter.FieldError(string(group.role), "%s: %v", c.Path, err)
		}
		for _, i := range indices {
			key := keyOf(names, i)
			if other := p.columns[key]; other != nil {
				return lighter.FieldError(string(group.role), "the column %q is under %s, too", key, other.role)
			}
			p.columns[key] = &learntColumn{role: group.role}
		}
	}
	for _, f := range c.Impute {
		i, err := column(f.column, width, names)
		if err != nil {
			return lighter.FieldError("impute", "%s: %v", c.Path, err)
		}
		key := keyOf(names, i)
		col := p.columns[key]
		if col == nil {
			col = &learntColumn{role: asItIs}
			p.columns[key] = col
		}
		col.fill = f.with
	}
	return nil
}

// keyOf is a column's name, or its index in a table that has no names.
func keyOf(names []string, i int) string {
	if names == nil {
		return strconv.Itoa(i)
	}
	return names[i]
}

func init() {
	registry.Register[Preprocessor]("lighter.datasets.Preprocessing", Preprocessing{Delimited: Delimited{Delimiter: ","}, Unknown: "error"})
}
