package files

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
	"github.com/lighter-go/lighter/tensor/tensortest"
)

// Every type, compression and encoding of Parquet gives pyarrow's numbers.
func TestParquet(t *testing.T) {
	g, dir := goldens(t)
	for name := range g.Files {
		if !strings.HasSuffix(name, ".parquet") || !strings.Contains(name, "z") && !strings.Contains(name, "snappy") && name != "brotli.parquet" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			tensortest.Scope(t)
			x := whole(t, mustBuild[lighter.Dataset](t, with("Parquet", filepath.Join(dir, name), m{
				"input":       []any{"i8", "u16", "i32", "u32", "i64", "f32", "f64", "bool", "list", "fixed"},
				"input_dtype": "float64", "target": "i64",
			})))
			for i, row := range g.Parquet {
				equal(t, fmt.Sprint("row ", i), tensor.Values[float64](x[0].Select(0, int64(i))), row)
			}
			equal(t, "target", x[1].String(), "int64[7]")
			gaps := whole(t, mustBuild[lighter.Dataset](t, with("Parquet", filepath.Join(dir, name), m{"input": "gaps", "allow_nan": true})))[0]
			equal(t, "missing", tensor.Values[uint8](tensor.CallOne("isnan", gaps)), []uint8{0, 1, 0, 0, 1, 0, 0})
			texts := mustBuild[lighter.Dataset](t, with("Parquet", filepath.Join(dir, name), m{"input": []any{"text", "dict"}, "preprocessing": with("Preprocessing", filepath.Join(dir, name), m{"categorical": []any{"text", "dict"}})}))
			equal(t, "texts", tensor.Values[float64](whole(t, texts)[0]), []float64{2, 0, 1, 1, 2, 0, 3, 0, 1, 1, 2, 0, 0, 1})
		})
	}
}

func TestParquetErrors(t *testing.T) {
	g, dir := goldens(t)
	odd := filepath.Join(dir, "odd.parquet")
	sound := g.Files["snappy.parquet"]
	cut := fileOf(t, "cut.parquet", string(sound[:len(sound)/2]))
	torn := fileOf(t, "torn.parquet", string(sound[:200])+strings.Repeat("\xff", 300)+string(sound[500:]))
	for _, c := range []struct {
		path  string
		input any
		want  string
	}{
		{odd, "time", `column "time": it holds times`},
		{odd, "decimal", `column "decimal": it holds decimals`},
		{odd, "half", "it holds float16: save it as float32"},
		{odd, "big", "row 0: 9007199254740993 is beyond 2^53"},
		{odd, "inf", "row 0: +Inf is not finite"},
		{odd, "struct", "it is a struct of 2 fields"},
		{odd, "nested", "it is a list of lists"},
		{odd, "text", "Texts become numbers by a lighter.datasets.Preprocessing"},
		{odd, "big_", `there is no column "big_", did you mean "big"?`},
		{filepath.Join(dir, "snappy.parquet"), "gaps", `the cell is missing, in row 1 of column "gaps"`},
		{cut, "i8", "is truncated or damaged"},
		{torn, nil, "torn.parquet"},
		{filepath.Join(dir, "train.csv"), nil, "is no Parquet file"},
		{dir, nil, "is a folder"},
		{"nowhere.parquet", nil, "no such file"},
	} {
		_, err := build[lighter.Dataset](t, m{"x": with("Parquet", c.path, m{"input": c.input})})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s, %v: got %v, want %q", c.path, c.input, err, c.want)
		}
	}
}
