package mine

import (
	"math"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

// Spirals are the points of two spirals: a sample is (float32 [2], int64 scalar).
type Spirals struct {
	Samples   int               `cfg:"samples" help:"number of points, half of them of either spiral"`
	Transform lighter.Transform `cfg:"transform" help:"changes a point; null for none"`
}

func init() { lighter.Register[lighter.Dataset]("mine.Spirals", Spirals{Samples: 200}) }

func (c Spirals) Validate() error {
	if c.Samples < 2 {
		return lighter.FieldError("samples", "must be at least 2, got %d", c.Samples)
	}
	return nil
}

func (c Spirals) Build(*lighter.Env) (lighter.Dataset, error) { return &spirals{c}, nil }

type spirals struct{ c Spirals }

func (d *spirals) Len() int { return d.c.Samples }

// Item is called by several threads at once where the loader has workers.
func (d *spirals) Item(i int) (lighter.Value, error) { return d.Draw(i, lighter.DefaultRand{}) }

// Draw makes a sample with the numbers that the loader gives it, so that they don't depend on the number of workers.
func (d *spirals) Draw(i int, r lighter.Rand) (lighter.Value, error) {
	class := i % 2
	turn := 3 * math.Pi * float64(i) / float64(d.c.Samples)
	angle, radius := turn+float64(class)*math.Pi, turn/(3*math.Pi)
	var point lighter.Value = tensor.FromSlice([]float32{float32(radius * math.Cos(angle)), float32(radius * math.Sin(angle))}, 2)
	if d.c.Transform != nil {
		var err error
		if point, err = d.c.Transform.Apply(point, r); err != nil {
			return nil, err
		}
	}
	return lighter.List{point, tensor.FromSlice([]int64{int64(class)})}, nil
}
