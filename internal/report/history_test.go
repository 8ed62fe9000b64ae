package report

import (
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A series of any length keeps its bounds, its last value and the order of its steps, in bounded memory.
func TestSeriesIsThinned(t *testing.T) {
	for _, n := range []int{1, 2, 5, 64, 65, 1000, 100_003} {
		s := &series{width: 1}
		least, greatest := point{y: math.Inf(1)}, point{y: math.Inf(-1)}
		for i := range n {
			p := point{int64(i), math.Sin(float64(i)*1.7) * float64(i%977)}
			if p.y < least.y {
				least = p
			}
			if p.y > greatest.y {
				greatest = p
			}
			s.add(p, 64)
			if len(s.points) > 64 {
				t.Fatalf("%d points after %d values", len(s.points), i+1)
			}
		}
		points := s.drawn(64)
		if !slices.IsSortedFunc(points, func(a, b point) int { return int(a.x - b.x) }) {
			t.Errorf("%d values: the steps are not in order: %v", n, points)
		}
		if gotLeast, gotGreatest := s.bounds(); gotLeast != least || gotGreatest != greatest {
			t.Errorf("%d values: from %v to %v, want %v to %v", n, gotLeast, gotGreatest, least, greatest)
		}
		if got := points[len(points)-1]; got.x != int64(n-1) || s.last.x != int64(n-1) {
			t.Errorf("%d values: the last is %v", n, got)
		}
		if few := s.drawn(10); len(few) > 11 || n > 1 && !slices.Contains(few, greatest) {
			t.Errorf("%d values in few points: %v without %v", n, few, greatest)
		}
	}
}

// A resumed run repeats steps: what it logs replaces what was after its checkpoint, in thinned series too.
func TestSeriesGoesBack(t *testing.T) {
	for _, back := range []int64{0, 1, 63, 500, 999} {
		s := &series{width: 1}
		for i := range int64(1000) {
			s.add(point{i, 1}, 64)
		}
		for i := back; i < 1200; i++ {
			s.add(point{i, 2}, 64)
		}
		points := s.drawn(64)
		for i, p := range points {
			if i > 0 && p.x <= points[i-1].x {
				t.Errorf("back to %d: step %d follows %d", back, p.x, points[i-1].x)
			}
			if want := map[bool]float64{true: 1, false: 2}[p.x < back]; p.y != want {
				t.Errorf("back to %d: %v at step %d", back, p.y, p.x)
			}
		}
		if s.last != (point{1199, 2}) {
			t.Errorf("back to %d: the last is %v", back, s.last)
		}
	}
}

func TestSeriesOfNaN(t *testing.T) {
	nan := math.NaN()
	for _, values := range [][]float64{{nan}, {nan, nan, nan, nan, nan, nan}, {1, nan, nan, nan, nan, 3}, {nan, 1, 3, nan, nan, nan, nan}} {
		s := &series{width: 1}
		for i, v := range values {
			s.add(point{int64(i), v}, 4)
		}
		least, greatest := s.bounds()
		if slices.Contains(values, 1) != (least.y == 1 && greatest.y == 3) {
			t.Errorf("%v: from %v to %v", values, least.y, greatest.y)
		}
	}
}

// valuesOf are a history's values as "name step=value".
func valuesOf(h *History) []string {
	var out []string
	for _, s := range h.series {
		for _, p := range s.drawn(seriesPoints) {
			out = append(out, fmt.Sprintf("%s %d=%v", s.name, p.x, p.y))
		}
	}
	slices.Sort(out)
	return out
}

func TestReadCSV(t *testing.T) {
	for _, c := range []struct {
		name, table, err string
		want             []string
	}{
		{"nothing", "", "", nil},
		{"a header", "epoch,step,x\r\n", "", nil},
		{"rows", "epoch,step,a,b\r\n0,1,0.5,\r\n0,2,,nan\r\n,3,-inf,1e-07\r\n", "", []string{"a 1=0.5", "a 3=-Inf", "b 2=NaN", "b 3=1e-07"}},
		{"a prefix", "p-epoch,p-x,step\r\n0,1.0,7\r\n", "", []string{"x 7=1"}},
		{"a metric that ends like one", "a-epoch,epoch,step,x\r\n2,0,7,1.0\r\n", "", []string{"a-epoch 7=2", "x 7=1"}},
		{"quoted names", "epoch,step,\"a,\"\"b\"\"\"\r\n0,1,2.0\r\n", "", []string{`a,"b" 1=2`}},
		{"a torn last line", "epoch,step,x\r\n0,1,0.5\r\n0,2", "", []string{"x 1=0.5"}},
		{"cells that are no numbers", "epoch,step,x\r\n0,one,0.5\r\n0,2,text\r\n0,3,4\r\n", "", []string{"x 3=4"}},
		{"repeated steps", "epoch,step,x\r\n0,1,1\r\n0,2,2\r\n0,1,3\r\n", "", []string{"x 1=3"}},
		{"another table", "a,b\r\n1,2\r\n", `no column "step"`, nil},
		{"a stray quote", "epoch,step,x\r\n0,1,0.5\r\n0,2,\"", "extraneous or missing", []string{"x 1=0.5"}},
	} {
		h := &History{}
		h.Add("before", 1, 1)
		h.Add(EpochSeconds, 1, 2)
		err := h.ReadCSV(strings.NewReader(c.table))
		if (err != nil) != (c.err != "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.err)
		}
		want := append([]string{EpochSeconds + " 1=2"}, c.want...)
		if !strings.Contains(c.table, "step") { // nothing is read
			want = append([]string{"before 1=1"}, want...)
		}
		slices.Sort(want)
		if got := valuesOf(h); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", c.name, got, want)
		}
	}
}

// A table that Lightning's CSVLogger wrote is read whole.
func TestReadCSVOfLightning(t *testing.T) {
	for _, name := range []string{"growing", "prefixed"} {
		f, err := os.Open("../callback/testdata/metrics_" + name + ".csv")
		must(t, err)
		defer f.Close()
		h := &History{}
		must(t, h.ReadCSV(f))
		if len(h.series) == 0 {
			t.Errorf("%s: nothing is read", name)
		}
		for _, s := range h.series {
			if strings.HasPrefix(s.name, "p-") || s.name == "epoch" || s.name == "step" {
				t.Errorf("%s: there is a series %q", name, s.name)
			}
		}
	}
}

func FuzzReadCSV(f *testing.F) {
	f.Add("epoch,step,x\r\n0,1,0.5\r\n0,2,nan\r\n")
	f.Add("p-epoch,p-x,step\n0,1e400,9223372036854775807\n0,-1,-9223372036854775808\n")
	f.Add("step,step,\"\"\n1,2,3\n\"")
	f.Fuzz(func(t *testing.T, table string) {
		h := &History{}
		_ = h.ReadCSV(strings.NewReader(table)) // whatever it says, what was read can be shown
		checkWrites(t, h)
	})
}
