package files

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/config"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor"
	"github.com/lighter-go/lighter/tensor/tensortest"
)

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
