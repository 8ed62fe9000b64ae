package pyrandom

import (
	"slices"
	"testing"
)

// TestNumbersArePythons: from a seed come three of random.random(), a random.shuffle of 12 items, 8 of random.choices of five
// with weights, 6 of seven without, and after 700 others one more random.random(), as CPython 3.11 prints them.
func TestNumbersArePythons(t *testing.T) {
	for _, c := range []struct {
		seed              uint64
		first             []float64
		shuffled          []int64
		weighted, without []int
		last              float64
	}{
		{0, []float64{0.8444218515250481, 0.7579544029403025, 0.420571580830845}, []int64{10, 0, 5, 1, 9, 2, 3, 11, 6, 7, 8, 4}, []int{2, 3, 3, 2, 3, 3, 3, 3}, []int{2, 5, 6, 4, 3, 0}, 0.7866793455760521},
		{42, []float64{0.6394267984578837, 0.025010755222666936, 0.27502931836911926}, []int64{7, 10, 5, 6, 0, 11, 4, 9, 8, 1, 2, 3}, []int{2, 2, 2, 3, 3, 2, 2, 2}, []int{6, 5, 1, 2, 1, 1}, 0.020745456215533697},
		{1<<40 + 7, []float64{0.6137037779936511, 0.8149162973309487, 0.9450115087592873}, []int64{0, 10, 1, 3, 8, 5, 11, 6, 2, 4, 7, 9}, []int{3, 2, 3, 2, 2, 0, 2, 3}, []int{4, 0, 0, 2, 0, 4}, 0.4664943315196326},
	} {
		g := New(c.seed)
		if g.State() != nil {
			t.Error("a generator that drew nothing has a state to keep")
		}
		for _, want := range c.first {
			if got := g.Random(); got != want {
				t.Fatalf("seed %d: %v, want %v", c.seed, got, want)
			}
		}
		state := g.State()
		for range 2 { // and again from the state
			if got := g.Shuffle(12); !slices.Equal(got, c.shuffled) {
				t.Errorf("seed %d: shuffled to %v, want %v", c.seed, got, c.shuffled)
			}
			for _, want := range c.weighted {
				if got := g.Choice(5, []float64{1, 0, 3, 2.5, 0}); got != want {
					t.Errorf("seed %d: chose %d, want %d", c.seed, got, want)
				}
			}
			for _, want := range c.without {
				if got := g.Choice(7, nil); got != want {
					t.Errorf("seed %d: chose %d without weights, want %d", c.seed, got, want)
				}
			}
			for range 700 {
				g.Random()
			}
			if got := g.Random(); got != c.last {
				t.Errorf("seed %d: at last %v, want %v", c.seed, got, c.last)
			}
			if !g.SetState(state) {
				t.Error("the state is refused")
			}
		}
		if !g.SetState(nil) || g.Random() != c.first[0] {
			t.Error("without a state it does not begin anew")
		}
	}
	if New(1).SetState(make([]uint32, 3)) {
		t.Error("a state of another length is taken")
	}
}
