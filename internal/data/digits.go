package data

import (
	_ "embed" // the digits
	"math/rand/v2"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor"
)

// digitsTable is the table of testdata/digits.csv.gz, one byte a cell: a row is 64 pixels from 0 to 16 and the digit.
// Reading it takes no time at start-up, unlike unpacking the text.
//
//go:embed digits.bin
var digitsTable []byte

const (
	digitsPixels = 64
	digitsRow    = digitsPixels + 1
	digitsCount  = 1797
	digitsTrain  = 1257 // 70 %; validation and test share the rest evenly
	digitsVal    = 270
)

// Digits is `lighter.datasets.Digits`: the 1,797 images of 8x8 pixels of handwritten digits that scikit-learn bundles, the
// test part of the Optical Recognition of Handwritten Digits data set: E. Alpaydin and C. Kaynak, UCI Machine Learning
// Repository, 1998, https://doi.org/10.24432/C50P49, licence CC BY 4.0. A sample is (pixels, digit): float32 [64], from 0 to
// 1 in steps of 1/16, and an int64 scalar.
type Digits struct {
	Start *int   `cfg:"start" help:"first image, in the order of the data set; 0 when null"`
	Stop  *int   `cfg:"stop" help:"one past the last image; 1797 when null"`
	Split string `cfg:"split" help:"a part of a fixed shuffle: 1,257, 270 or 270 images" oneof:"train|val|test"`
}

// Doc is the reference's text.
func (Digits) Doc() string {
	return `1,797 images of handwritten digits, 8x8 pixels, inside the program: nothing is downloaded. A sample is the 64 pixels as
float32 from 0 to 1 and the digit as int64. ` + "`start` and `stop`" + ` take a range in the data set's order; ` + "`split`" + ` takes a part of a
fixed shuffle, the same in every run: train has 1,257 images, val 270 and test 270. Without any of them all images are taken.

E. Alpaydin, C. Kaynak: Optical Recognition of Handwritten Digits. UCI Machine Learning Repository, 1998,
https://doi.org/10.24432/C50P49 (the test part, as scikit-learn bundles it). Licence: CC BY 4.0.`
}

func (c Digits) bounds() (start, stop int) {
	stop = digitsCount
	if c.Start != nil {
		start = *c.Start
	}
	if c.Stop != nil {
		stop = *c.Stop
	}
	return start, stop
}

// Validate checks the range.
func (c Digits) Validate() error {
	start, stop := c.bounds()
	switch {
	case c.Split != "" && c.Start != nil:
		return lighter.FieldError("start", "cannot be combined with split: %s", c.Split)
	case c.Split != "" && c.Stop != nil:
		return lighter.FieldError("stop", "cannot be combined with split: %s", c.Split)
	case start < 0 || start >= digitsCount:
		return lighter.FieldError("start", "must be from 0 to %d, got %d", digitsCount-1, start)
	case stop > digitsCount || stop < 0:
		return lighter.FieldError("stop", "must be at most %d, got %d", digitsCount, stop)
	case stop <= start:
		return lighter.FieldError("stop", "must be greater than start, which is %d; got %d", start, stop)
	}
	return nil
}

// Build copies the images into tensors.
func (c Digits) Build(*lighter.Env) (d lighter.Dataset, err error) {
	defer tensor.Recover(&err)
	start, stop := c.bounds()
	row := func(i int) int { return start + i }
	if c.Split != "" {
		order := digitsOrder()
		part := map[string][]int{
			"train": order[:digitsTrain],
			"val":   order[digitsTrain : digitsTrain+digitsVal],
			"test":  order[digitsTrain+digitsVal:],
		}[c.Split]
		start, stop = 0, len(part)
		row = func(i int) int { return part[i] }
	}
	n := stop - start
	pixels, labels := make([]float32, 0, n*digitsPixels), make([]int64, 0, n)
	for i := range n {
		cells := digitsTable[row(i)*digitsRow:][:digitsRow]
		for _, p := range cells[:digitsPixels] {
			pixels = append(pixels, float32(p)/16)
		}
		labels = append(labels, int64(cells[digitsPixels]))
	}
	return &table{
		columns: []tensor.Tensor{tensor.FromSlice(pixels, int64(n), digitsPixels), tensor.FromSlice(labels, int64(n))},
		n:       n,
	}, nil
}

// digitsOrder is the shuffle behind split: Fisher and Yates' (Durstenfeld, CACM 7(7), 1964), from the last place down, with
// place i exchanged for the next number of a PCG generator modulo i+1. No seed of a run changes it.
func digitsOrder() []int {
	order := make([]int, digitsCount)
	for i := range order {
		order[i] = i
	}
	pcg := rand.NewPCG(0, 0)
	for i := digitsCount - 1; i > 0; i-- {
		j := int(pcg.Uint64() % uint64(i+1))
		order[i], order[j] = order[j], order[i]
	}
	return order
}

func init() { registry.Register[lighter.Dataset]("lighter.datasets.Digits", Digits{}) }
