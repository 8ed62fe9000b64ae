package files

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/config"
	"github.com/lighter-go/lighter/internal/data/draw"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor"
	"github.com/lighter-go/lighter/tensor/tensortest"
)

// prepared is what Python makes of the rows of a table.
type prepared struct {
	X [][]float64
	Y []float64
}

// golden is testdata/files.json: files that Python's libraries wrote, and what is in them.
type golden struct {
	Files   map[string][]byte
	Parquet [][]float64
	Learnt  map[string]prepared
	Samples []any
	Grey    []any
}

// goldens writes the files to a folder.
func goldens(t testing.TB) (g golden, dir string) {
	t.Helper()
	b, err := os.ReadFile("testdata/files.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &g); err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	for name, data := range g.Files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return g, dir
}

func with(target, path string, arguments m) m {
	x := m{"_target_": "lighter.datasets." + target, "path": path}
	for k, v := range arguments {
		x[k] = v
	}
	return x
}

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

func near(t *testing.T, what string, got, want []float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %v, want %v", what, got, want)
	}
	for i := range got {
		if math.Abs(got[i]-want[i]) > 1e-12*math.Max(1, math.Abs(want[i])) {
			t.Errorf("%s: %v, want %v", what, got, want)
			return
		}
	}
}

// What is learnt of the training part is scikit-learn's, whatever the kind of file, and is done to another part, also when it
// comes from a checkpoint and the training part is gone.
func TestPreprocessingIsSklearns(t *testing.T) {
	g, dir := goldens(t)
	for extension, target := range map[string]string{"csv": "CSV", "jsonl": "JSONL", "parquet": "Parquet"} {
		t.Run(extension, func(t *testing.T) {
			tensortest.Scope(t)
			path := func(part string) string { return filepath.Join(dir, part+"."+extension) }
			gone := filepath.Join(t.TempDir(), "train."+extension)
			if err := os.WriteFile(gone, g.Files["train."+extension], 0o666); err != nil {
				t.Fatal(err)
			}
			learn := with("Preprocessing", gone, m{
				"stop": 5, "one_hot": "city", "categorical": []any{"size"}, "standard": []any{"age", "one"}, "minmax": "y",
				"impute": m{"city": "most_frequent", "age": "median"},
			})
			rows := func(part string, stop any) m {
				return with(target, path(part), m{"target": "y", "stop": stop, "preprocessing": "@learn", "input_dtype": "float64", "target_dtype": "float64"})
			}
			check := func(b *registry.Build) {
				for _, part := range []string{"train", "rest"} {
					d, err := registry.Get[lighter.Dataset](b, part+" part")
					if err != nil {
						t.Fatal(err)
					}
					x := whole(t, d)
					for i, want := range g.Learnt[part].X {
						near(t, fmt.Sprint(part, " row ", i), tensor.Values[float64](x[0].Select(0, int64(i))), want)
					}
					near(t, part+" target", tensor.Values[float64](x[1]), g.Learnt[part].Y)
				}
			}
			c, problems := config.Compose(m{"learn": learn, "train part": rows("train", 5), "rest part": rows("rest", nil)})
			if problems.HasErrors() {
				t.Fatal(problems)
			}
			first := registry.NewBuild(c, env)
			check(first)
			if err := os.Remove(gone); err != nil {
				t.Fatal(err)
			}
			again := registry.NewBuild(c, env)
			again.Remember(first.Learnt())
			check(again)
			if !reflect.DeepEqual(again.Learnt(), first.Learnt()) {
				t.Error("what is kept changes when it is taken from a checkpoint")
			}
		})
	}
}

func TestPreprocessingErrors(t *testing.T) {
	tensortest.Scope(t)
	dir := t.TempDir()
	train, rest := filepath.Join(dir, "train.csv"), filepath.Join(dir, "rest.csv")
	for path, text := range map[string]string{train: "k,x\nred,1\nblue,\nred,3\n", rest: "k,x\nred,1\ngren,2\n,3\n"} {
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	dataset := func(path string, learn m, arguments m) m {
		x := with("CSV", path, m{"preprocessing": with("Preprocessing", train, learn)})
		for k, v := range arguments {
			x[k] = v
		}
		return x
	}
	for _, c := range []struct {
		x    m
		want string
	}{
		{dataset(rest, m{"categorical": "k"}, nil), `rest.csv:3:1: "gren", in row 1 of column "k", is none of the 2 categories of the training part`},
		{dataset(rest, m{"categorical": "k"}, m{"start": 2}), `rest.csv:4:1: the cell is missing, in row 2 of column "k"`},
		{dataset(train, m{"categorical": "k"}, nil), `train.csv:3:6: the cell is missing, in row 1 of column "x"`},
		{dataset(train, m{"categorical": "k", "standard": "k"}, nil), `the column "k" is under categorical, too`},
		{dataset(train, m{"categorical": "c"}, nil), `there is no column "c"`},
		{dataset(train, m{"standard": "k"}, nil), `"red" is no number`},
		{dataset(train, m{"standard": "x", "impute": m{"x": "middle"}}, nil), `impute has mean, median, most_frequent or a number for it, not "middle"`},
		{dataset(train, m{"categorical": "k", "impute": m{"k": "mean"}}, nil), `impute has most_frequent or a text for it, not "mean"`},
		{dataset(train, m{}, nil), "there is nothing to do"},
		{dataset(train, m{"standard": "x", "unknown": "ignore"}, nil), "must be one of error, id"},
		{dataset(train, m{"standard": "x", "impute": "mean"}, nil), "must be a mapping from columns"},
		{dataset(train, nil, m{"preprocessing": with("Preprocessing", "x.xlsx", m{"standard": "x"})}), "must end in .csv"},
		{dataset(train, nil, m{"preprocessing": with("Preprocessing", "gone.csv", m{"standard": "x"})}), "path of lighter.datasets.Preprocessing: open gone.csv"},
		{dataset(train, nil, m{"preprocessing": nil, "input": "k"}), "train.csv:2:1: \"red\" is no number, in row 0 of column \"k\". Texts become numbers by"},
	} {
		_, err := build[lighter.Dataset](t, m{"x": c.x})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: got %v, want %q", c.x, err, c.want)
		}
	}
	// Categories that are new, and missing cells, have an id of their own: the one after the last.
	x := whole(t, mustBuild[lighter.Dataset](t, dataset(rest, m{"categorical": "k", "impute": m{"x": 0}, "unknown": "id"}, m{"target": "k"})))
	equal(t, "ids", tensor.Values[int64](x[1]), []int64{1, 2, 2})
	x = whole(t, mustBuild[lighter.Dataset](t, dataset(rest, m{"one_hot": "k", "unknown": "id"}, m{"input": "k"})))
	equal(t, "one_hot", tensor.Values[float64](x[0]), []float64{0, 1, 0, 0, 0, 0})
	// A checkpoint of another configuration is not taken.
	c, _ := config.Compose(m{"x": with("Preprocessing", train, m{"categorical": "k"})})
	b := registry.NewBuild(c, env)
	b.Remember(registry.Learnt{"x": m{"arguments": "others", "columns": m{}}})
	if _, err := registry.Get[Preprocessor](b, "x"); err == nil || !strings.Contains(err.Error(), "the checkpoint holds what was learnt with other arguments") {
		t.Errorf("got %v", err)
	}
}

// Categories that are numbers are sorted by size.
func TestCategoriesAreSorted(t *testing.T) {
	for _, c := range []struct{ in, want []string }{
		{[]string{"10", "9", "-1", "100"}, []string{"-1", "9", "10", "100"}},
		{[]string{"b", "10", "9", "a"}, []string{"10", "9", "a", "b"}},
	} {
		sortCategories(c.in)
		equal(t, "sorted", c.in, c.want)
	}
}

func TestJSONL(t *testing.T) {
	tensortest.Scope(t)
	path := fileOf(t, "x.jsonl", "{\"x\": [1, 2.5], \"ok\": true, \"y\": 1}\n\n{\"y\": -2e0, \"x\": [3, null], \"s\": \"\\u00e9\", \"ok\": false}\r\n")
	x := whole(t, mustBuild[lighter.Dataset](t, with("JSONL", path, m{"input": []any{"x", "ok"}, "target": "y", "allow_nan": true})))
	equal(t, "tensors", []string{x[0].String(), x[1].String()}, []string{"float32[2 3]", "float32[2]"})
	equal(t, "first", tensor.Values[float64](x[0].Select(0, 0)), []float64{1, 2.5, 1})
	for _, c := range []struct{ text, want string }{
		{"{\"a\": 1}\n{\"a\": [1]}\n", `x.jsonl:2:7: [1] is a list, but the rows before have numbers, in row 1 of column "a"`},
		{"{\"a\": [1, 2]}\n{\"a\": [1]}\n", "x.jsonl:2:7: a list of 1 numbers, but the lists before have 2"},
		{"{\"a\": 1}\n{\"b\": 1}\n", `x.jsonl:2:1: the cell is missing, in row 1 of column "a"`},
		{"{\"a\": 1}\n{\"a\": null}\n", `x.jsonl:2:7: the cell is missing, in row 1 of column "a"`},
		{"{\"a\": 1}\n{\"a\": \"t\"}\n", `x.jsonl:2:7: "t" is no number, in row 1 of column "a"`},
		{"{\"a\": 1}\n{\"a\": {}}\n", "x.jsonl:2:7: {} is no number"},
		{"{\"a\": 1, \"a\": 2}\n", `x.jsonl:1:13: the key "a" stands twice`},
		{"{\"a\": 1}\n{\"a\": 1\n", "x.jsonl:2:8: the object is not closed"},
		{"{\"a\": 1}\n{\"a\": 1}{\n", "x.jsonl:2:10: one line holds one object"},
		{"{\"a\": 1}\n[1]\n", "x.jsonl:2:2: a line must be a JSON object"},
		{"{\"a\": 1}\n{\"a\": 01}\n", "x.jsonl:2:7: invalid character '1'"},
		{"\n", "has no rows"},
		{"{}\n", "the target takes every column"},
	} {
		_, err := build[lighter.Dataset](t, m{"x": with("JSONL", fileOf(t, "x.jsonl", c.text), nil)})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: got %v, want %q", c.text, err, c.want)
		}
	}
}

// Named arrays of NumPy's archives and of safetensors.
func TestArrays(t *testing.T) {
	tensortest.Scope(t)
	g, dir := goldens(t)
	want := make([]float64, 24)
	for i := range want {
		want[i] = float64(i)
	}
	for _, c := range []struct {
		target, file string
		arguments    m
		tensors      []string
	}{
		{"NPZ", "stored.npz", m{"input": "x", "target": "y"}, []string{"float32[4 2 3]", "int64[4]"}},
		{"NPZ", "packed.npz", m{}, []string{"float32[4 2 3]"}},
		{"NPZ", "packed.npz", m{"input": "arr_0", "input_shape": []any{6}}, []string{"float32[4 6]"}},
		{"Safetensors", "x.safetensors", m{"input": "x", "target": "y"}, []string{"float32[4 2 3]", "int64[4]"}},
	} {
		x := whole(t, mustBuild[lighter.Dataset](t, with(c.target, filepath.Join(dir, c.file), c.arguments)))
		var got []string
		for _, v := range x {
			got = append(got, v.String())
		}
		equal(t, c.file, got, c.tensors)
		equal(t, c.file, tensor.Values[float64](x[0]), want)
		c.arguments["start"], c.arguments["stop"] = 1, -1
		x = whole(t, mustBuild[lighter.Dataset](t, with(c.target, filepath.Join(dir, c.file), c.arguments)))
		equal(t, c.file, tensor.Values[float64](x[0]), want[6:18])
	}
	stored := g.Files["stored.npz"]
	flipped := []byte(strings.Replace(string(stored), "\x00\x01\x02\x03", "\x00\x01\x02\x04", 1))
	for _, c := range []struct {
		target, path string
		arguments    m
		want         string
	}{
		{"NPZ", filepath.Join(dir, "stored.npz"), nil, `holds 2 arrays: say which is the input. There are "x", "y"`},
		{"NPZ", filepath.Join(dir, "stored.npz"), m{"input": "X"}, `has no array "X": did you mean "x"?`},
		{"NPZ", filepath.Join(dir, "stored.npz"), m{"input": "x", "target": "z"}, "has no array"},
		{"NPZ", fileOf(t, "cut.npz", string(stored[:300])), nil, "cut.npz is truncated or damaged"},
		{"NPZ", fileOf(t, "flip.npz", string(flipped)), m{"input": "x"}, "flip.npz: x.npy is damaged or truncated: zip: checksum error"},
		{"NPZ", fileOf(t, "x.npz", "text"), nil, "is no .npz file"},
		{"NPZ", "nowhere.npz", nil, "no such file"},
		{"Safetensors", filepath.Join(dir, "stored.npz"), nil, "file is not a safetensors file"},
		{"Safetensors", filepath.Join(dir, "x.safetensors"), m{"input": "labels"}, `has no array "labels"`},
	} {
		_, err := build[lighter.Dataset](t, m{"x": with(c.target, c.path, c.arguments)})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s, %v: got %v, want %q", c.path, c.arguments, err, c.want)
		}
	}
}

// plain is a value as JSON has it.
func plain(v lighter.Value) any {
	switch v := v.(type) {
	case tensor.Tensor:
		return nested(tensor.Values[float64](v), v.Shape())
	case lighter.List:
		out := []any{}
		for _, e := range v {
			out = append(out, plain(e))
		}
		return out
	case lighter.Dict:
		out := m{}
		for k, e := range v {
			if k != "__url__" {
				out[k] = plain(e)
			}
		}
		return out
	case int64:
		return float64(v)
	}
	return v
}

func nested(values []float64, shape []int64) any {
	if len(shape) == 0 {
		return values[0]
	}
	out := []any{}
	step := len(values) / int(shape[0])
	for i := range int(shape[0]) {
		out = append(out, nested(values[i*step:(i+1)*step], shape[1:]))
	}
	return out
}

// streamed are the samples of an epoch.
func streamed(t *testing.T, x m, r lighter.Rand) (samples []any, where []string) {
	t.Helper()
	s, err := mustBuild[lighter.IterableDataset](t, x).Stream(r)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for {
		p, ok, err := s.Next()
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return samples, where
		}
		v, err := p.Make(r)
		if err != nil {
			t.Fatal(err)
		}
		samples, where = append(samples, plain(v)), append(where, p.Where)
	}
}

func shards(urls any, arguments m) m {
	x := m{"_target_": "lighter.datasets.WebDataset", "urls": urls}
	for k, v := range arguments {
		x[k] = v
	}
	return x
}

// Samples, their order and what is decoded of each kind of file are the webdataset library's.
func TestWebDatasetIsPythons(t *testing.T) {
	tensortest.Scope(t)
	g, dir := goldens(t)
	urls := dir + "/s-{00.tar,01.tar.gz}"
	got, where := streamed(t, shards(urls, m{"decode": "torchrgb8"}), draw.Default{})
	equal(t, "samples", got, g.Samples)
	equal(t, "place", where[3], "s-01.tar.gz: d/10")
	got, _ = streamed(t, shards(dir+"/s-*.tar*", m{"decode": "torchl", "to_tuple": "jpg;png cls"}), draw.Default{})
	equal(t, "grey", got, g.Grey)
}

// A buffer and shuffled shards give every sample once, in an order that follows from the numbers drawn.
func TestWebDatasetShuffles(t *testing.T) {
	tensortest.Scope(t)
	_, dir := goldens(t)
	x := shards([]any{dir + "/s-00.tar", dir + "/s-01.tar.gz"}, m{"to_tuple": []any{"cls"}, "shuffle": 4, "initial": 2, "shardshuffle": true})
	orders := map[string]bool{}
	for seed := range uint64(6) {
		got, _ := streamed(t, x, draw.Stream(seed, 0))
		again, _ := streamed(t, x, draw.Stream(seed, 0))
		equal(t, "the same numbers", again, got)
		seen := map[any]bool{}
		for _, s := range got {
			seen[s.([]any)[0]] = true
		}
		if len(got) != 6 || len(seen) != 6 {
			t.Errorf("%v", got)
		}
		orders[fmt.Sprint(got)] = true
	}
	if len(orders) < 3 {
		t.Errorf("six seeds gave %d orders", len(orders))
	}
}

func TestWebDatasetErrors(t *testing.T) {
	tensortest.Scope(t)
	g, dir := goldens(t)
	for _, c := range []struct {
		x    m
		want string
	}{
		{shards("nowhere-{0..1}.tar", nil), "open nowhere-0.tar: no such file"},
		{shards(dir+"/*.tgz", nil), "no file matches"},
		{shards("a{", nil), "a brace is not closed"},
		{shards("https://host/a.tar", nil), "is not a local file"},
		{shards(dir+"/s-00.tar", m{"decode": "rgb"}), "decode of lighter.datasets.WebDataset must be one of pil"},
		{shards(dir+"/s-00.tar", m{"shuffle": -1}), "must be at least 0"},
		{shards(dir+"/s-00.tar", m{"to_tuple": "png", "target_transform": "$lambda x: x"}), "needs a to_tuple of two"},
	} {
		_, err := build[lighter.IterableDataset](t, m{"x": c.x})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: got %v, want %q", c.x, err, c.want)
		}
	}
	first := func(x m) error {
		s, err := mustBuild[lighter.IterableDataset](t, x).Stream(draw.Default{})
		if err != nil {
			return err
		}
		defer s.Close()
		for {
			p, ok, err := s.Next()
			if err != nil || !ok {
				return err
			}
			if _, err := p.Make(draw.Default{}); err != nil {
				return err
			}
		}
	}
	bad := strings.Replace(string(g.Files["s-00.tar"]), "0\n\x00", "x\n\x00", 1)
	for _, c := range []struct {
		x    m
		want string
	}{
		{shards(fileOf(t, "cut.tar", string(g.Files["s-00.tar"][:5000])), nil), "cut.tar is truncated"},
		{shards(fileOf(t, "bad.tar", bad), m{"to_tuple": "cls"}), `bad.tar: d/00.cls: "x\n" is no int`},
		{shards(dir+"/s-00.tar", m{"to_tuple": "jpg cls"}), `s-00.tar: d/00: didn't find "jpg": the sample has`},
	} {
		err := first(c.x)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: got %v, want %q", c.x, err, c.want)
		}
	}
}

// Whatever the bytes, reading an archive of arrays ends in an error or in arrays whose elements are all there.
func FuzzNPZ(f *testing.F) {
	g, _ := goldens(f)
	f.Add(g.Files["stored.npz"])
	f.Add(g.Files["packed.npz"])
	f.Fuzz(func(t *testing.T, b []byte) {
		z, err := openNPZ("x.npz", bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		for _, name := range z.names() {
			a, err := z.open(name)
			if err != nil || len(a.dims()) == 0 {
				continue
			}
			n := int64(1)
			for _, d := range a.dims() {
				n *= d
			}
			if rows, err := a.(*npyFile).rows(0, a.dims()[0]); err == nil && int64(len(rows)) < n {
				t.Errorf("%d bytes of %d elements", len(rows), n)
			}
		}
	})
}
