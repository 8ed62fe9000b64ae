package data

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
	"github.com/lighter-go/lighter/tensor/tensortest"
)

// The table in the program is the file that scikit-learn ships.
func TestDigitsAreScikitLearns(t *testing.T) {
	packed, err := os.ReadFile("testdata/digits.csv.gz")
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(packed)
	const want = "09f66e6debdee2cd2b5ae59e0d6abbb73fc2b0e0185d2e1957e9ebb51e23aa22"
	if got := hex.EncodeToString(sum[:]); got != want {
		t.Errorf("digits.csv.gz has the sum %s, scikit-learn's %s", got, want)
	}
	text, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(text).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var table []byte
	for _, row := range rows {
		for _, cell := range row {
			v, err := strconv.Atoi(cell)
			if err != nil {
				t.Fatal(err)
			}
			table = append(table, byte(v))
		}
	}
	if !bytes.Equal(table, digitsTable) {
		t.Error("digits.bin is not the table of digits.csv.gz")
	}
}

func digits(arguments m) m {
	x := m{"_target_": "lighter.datasets.Digits"}
	for k, v := range arguments {
		x[k] = v
	}
	return x
}

func TestDigitsSample(t *testing.T) {
	tensortest.Scope(t)
	d := mustBuild[lighter.Dataset](t, digits(m{"start": 1, "stop": 3}))
	equal(t, "Len", d.Len(), 2)
	sample, err := d.Item(0)
	if err != nil {
		t.Fatal(err)
	}
	x, y := sample.(lighter.List)[0].(tensor.Tensor), sample.(lighter.List)[1].(tensor.Tensor)
	equal(t, "pixels", x.String(), "float32[64]")
	equal(t, "label", y.String(), "int64[]")
	// The second row of the file: 0,0,0,12,13,5,... and the digit 1.
	equal(t, "first pixels", tensor.Values[float64](x)[:6], []float64{0, 0, 0, 12. / 16, 13. / 16, 5. / 16})
	equal(t, "digit", y.Int(), int64(1))
}

// split's parts are the same in every run and on every machine, and share no image.
func TestDigitsSplit(t *testing.T) {
	tensortest.Scope(t)
	order := digitsOrder()
	equal(t, "first images of the shuffle", order[:5], []int{1336, 41, 776, 445, 392})
	seen := map[string]int{}
	total := 0
	for split, n := range map[string]int{"train": 1257, "val": 270, "test": 270} {
		tensor.ManualSeed(uint64(n)) // no seed changes the parts
		d := mustBuild[lighter.Dataset](t, digits(m{"split": split}))
		equal(t, split, d.Len(), n)
		total += d.Len()
		batch, _, _ := begin(t, load(t, d, nil)).Next()
		x := tensor.Values[float32](batch.(lighter.List)[0].(tensor.Tensor))
		for i := range n {
			seen[string(digitsKey(x[i*64:][:64]))]++
		}
		counts := make([]int, 10)
		for _, y := range tensor.Values[int64](batch.(lighter.List)[1].(tensor.Tensor)) {
			counts[y]++
		}
		if low := slices.Min(counts); low*20 < n {
			t.Errorf("%s holds a digit only %d times: %v", split, low, counts)
		}
	}
	equal(t, "images", total, 1797)
	equal(t, "different images", len(seen), 1797)
}

func digitsKey(pixels []float32) []byte {
	key := make([]byte, len(pixels))
	for i, p := range pixels {
		key[i] = byte(p * 16)
	}
	return key
}

func TestDigitsBadArguments(t *testing.T) {
	for _, c := range []struct {
		arguments m
		want      string
	}{
		{m{"start": -1}, "start of lighter.datasets.Digits: must be from 0 to 1796, got -1"},
		{m{"start": 1797}, "must be from 0 to 1796, got 1797"},
		{m{"stop": 1798}, "stop of lighter.datasets.Digits: must be at most 1797, got 1798"},
		{m{"start": 5, "stop": 5}, "must be greater than start, which is 5; got 5"},
		{m{"split": "valid"}, "split of lighter.datasets.Digits must be one of train, val, test, got"},
		{m{"split": "val", "stop": 5}, "cannot be combined with split: val"},
		{m{"split": "val", "start": 0}, "cannot be combined with split: val"},
		{m{"start": "a"}, "must be an int"},
	} {
		_, err := build[lighter.Dataset](t, m{"x": digits(c.arguments)})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: got %v, want %q", c.arguments, err, c.want)
		}
	}
}

// A digits run builds three of these at its start.
func BenchmarkDigits(b *testing.B) {
	for b.Loop() {
		s := tensor.Open()
		if _, err := (Digits{Split: "train"}).Build(nil); err != nil {
			b.Fatal(err)
		}
		s.Close()
	}
}
