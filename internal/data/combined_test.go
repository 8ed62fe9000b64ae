package data

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"testing"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
	"github.com/lighter-go/lighter/tensor/tensortest"
)

type combinedCase struct {
	Name    string
	Loaders []m
	Epochs  [][][][]int64 // epoch, batch, loader, samples
}

func combinedCases(t *testing.T) (cases []combinedCase) {
	t.Helper()
	b, err := os.ReadFile("testdata/combined.json")
	if err == nil {
		err = json.Unmarshal(b, &cases)
	}
	if err != nil {
		t.Fatal(err)
	}
	return cases
}

// build makes the case's data module over datasets in memory, by sample, or loaded by workers.
func (c combinedCase) build(t *testing.T, kind string) lighter.Loader {
	var list []any
	for _, given := range c.Loaders {
		arguments := m{}
		for k, v := range given {
			if f, ok := v.(float64); ok {
				v = int(f)
			}
			arguments[k] = v
		}
		n := arguments["n"].(int)
		delete(arguments, "n")
		dataset := slow(n)
		switch kind {
		case "in memory":
			dataset = samples(n)
		case "workers":
			arguments["num_workers"] = 2
		}
		list = append(list, dataLoader(dataset, arguments))
	}
	d := mustBuild[lighter.DataModule](t, m{"_target_": "lighter.LighterDataModule", "train_dataloader": list})
	return d.Loaders(lighter.Train)[0]
}

// run reads an epoch from batch from on, drawing a number after each batch as a training would.
func runCombined(t *testing.T, it lighter.Iterator, each func(done int)) (batches [][][]int64) {
	t.Helper()
	defer it.Close()
	for {
		s := tensor.Open()
		v, ok, err := it.Next()
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			s.Close()
			return batches
		}
		var batch [][]int64
		for _, one := range v.(lighter.List) {
			batch = append(batch, append([]int64(nil), tensor.Values[int64](one.(lighter.List)[0].(tensor.Tensor))...))
		}
		batches = append(batches, batch)
		tensor.CallOne("rand", []int64{1})
		if each != nil {
			each(len(batches))
		}
		s.Close()
	}
}

func TestCombinedIsLightnings(t *testing.T) {
	for _, c := range combinedCases(t) {
		for _, kind := range []string{"in memory", "by sample"} {
			t.Run(c.Name+", "+kind, func(t *testing.T) {
				tensortest.Scope(t)
				l := c.build(t, kind)
				defer l.(interface{ Close() error }).Close()
				tensor.ManualSeed(3)
				for e, want := range c.Epochs {
					it, err := l.Iter(0)
					if err != nil {
						t.Fatal(err)
					}
					if got := runCombined(t, it, nil); !reflect.DeepEqual(got, want) {
						t.Errorf("epoch %d:\ngot  %v\nwant %v", e, got, want)
					}
				}
				equal(t, "batches", l.Len(), len(c.Epochs[0]))
			})
		}
	}
}

// TestCombinedGoesOn saves the state after every batch of the second epoch and goes on from it with other loaders.
func TestCombinedGoesOn(t *testing.T) {
	for _, c := range combinedCases(t) {
		for _, kind := range []string{"in memory", "by sample", "workers"} {
			t.Run(c.Name+", "+kind, func(t *testing.T) {
				tensortest.Scope(t)
				l := c.build(t, kind)
				defer l.(interface{ Close() error }).Close()
				tensor.ManualSeed(3)
				first, _ := l.Iter(0)
				runCombined(t, first, nil)
				type saved struct {
					rng   tensor.Tensor
					state lighter.Dict
				}
				var at []saved
				began := tensor.RNGState(tensor.Device{})
				it, err := l.Iter(0)
				if err != nil {
					t.Fatal(err)
				}
				whole := runCombined(t, it, func(int) {
					s := saved{rng: tensor.RNGState(tensor.Device{}).Keep()}
					s.state = lighter.MapTensors(l.(lighter.LoaderState).StateDict(true), tensor.Tensor.Keep).(lighter.Dict)
					at = append(at, s)
				})
				for k, s := range at {
					from := k + 1
					rest := c.build(t, kind)
					if s.state != nil {
						if err := rest.(lighter.LoaderState).LoadStateDict(s.state); err != nil {
							t.Fatal(err)
						}
					}
					tensor.SetRNGState(tensor.Device{}, began)
					it, err := rest.Iter(from)
					if err != nil {
						t.Fatal(err)
					}
					tensor.SetRNGState(tensor.Device{}, s.rng)
					if got := runCombined(t, it, nil); !reflect.DeepEqual(fmt.Sprint(got), fmt.Sprint(whole[from:])) {
						t.Errorf("from batch %d:\ngot  %v\nwant %v", from, got, whole[from:])
					}
					rest.(interface{ Close() error }).Close()
					s.rng.Free()
					lighter.MapTensors(s.state, func(x tensor.Tensor) tensor.Tensor { x.Free(); return x })
				}
			})
		}
	}
}
