package project_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/data/draw"
	"github.com/lighter-go/lighter/tensor"
	"github.com/lighter-go/lighter/tensor/tensortest"
)

// TestAutogradFunction differentiates a user's own x**3, whose backward gives three times what is right, so that it is seen to be
// what runs.
func TestAutogradFunction(t *testing.T) {
	const code = `
def forward(ctx, x, power):
    ctx.save_for_backward(x)
    ctx.power = power
    return x ** power

def backward(ctx, grad):
    x, = ctx.saved_tensors
    return grad * 3 * ctx.power * x ** (ctx.power - 1), None

Power = torch.autograd.Function(forward=forward, backward=backward)

def New():
    return torch.nn.Module(forward=lambda self, x: Power.apply(x, 3).sum())
`
	tensortest.Scope(t)
	m := made[lighter.Module](t, code, nil)
	before := int64(0)
	for i := range 40 {
		s := tensor.Open()
		x := tensor.FromSlice([]float32{1, 2}, 2).SetRequiresGrad(true)
		m.Forward(x).(tensor.Tensor).Backward()
		if got := tensor.Values[float64](x.Grad()); got[0] != 9 || got[1] != 36 {
			t.Fatalf("the gradient is %v, want [9 36]", got)
		}
		s.Close()
		switch live := tensor.Live(); {
		case i == 5:
			before = live
		case i > 5 && live > before:
			t.Fatalf("%d handles after pass %d, %d before", live, i, before)
		}
	}
}

func TestMistakesInAutogradFunctions(t *testing.T) {
	tensortest.Scope(t)
	got := failure(t, `
def forward(ctx, x):
    return x * 2
def backward(ctx, grad):
    return grad.foo
F = torch.autograd.Function(forward=forward, backward=backward)
def New():
    return torch.nn.Module(forward=lambda self, x: F.apply(x).sum())
`, func(v any) {
		v.(lighter.Module).Forward(tensor.FromSlice([]float32{1}, 1).SetRequiresGrad(true)).(tensor.Tensor).Backward()
	})
	for _, want := range []string{"model.star:5:17, in backward", "'Tensor' object has no attribute 'foo'"} {
		if !strings.Contains(got, want) {
			t.Errorf("got\n%swant %s", got, want)
		}
	}
}

func TestMetric(t *testing.T) {
	const code = `
def update(self, preds, target):
    self.hits += (preds.argmax(dim=1) == target).sum()
    self.total += target.numel()

def compute(self):
    return self.hits / self.total

def New():
    return torchmetrics.Metric(update=update, compute=compute, hits=torch.tensor(0), total=torch.tensor(0))
`
	tensortest.Scope(t)
	m := made[lighter.Metric](t, code, nil)
	one := func(scores []float32, target int64) {
		s := tensor.Open()
		defer s.Close()
		m.Update(tensor.FromSlice(scores, 1, 2), tensor.FromSlice([]int64{target}, 1))
		m.Batch()
	}
	value := func(v lighter.Value) float64 { return v.(tensor.Tensor).Item() }
	one([]float32{1, 0}, 0)
	one([]float32{1, 0}, 1)
	if got := value(m.Batch()); got != 0 {
		t.Errorf("the batch's value is %v, want 0", got)
	}
	if got := value(m.Compute()); got != 0.5 {
		t.Errorf("the value is %v, want 0.5", got)
	}
	state := m.StateDict()
	m.Reset()
	one([]float32{1, 0}, 0)
	if got := value(m.Compute()); got != 1 {
		t.Errorf("after a reset the value is %v, want 1", got)
	}
	if err := m.LoadStateDict(state); err != nil {
		t.Fatal(err)
	}
	if got := value(m.Compute()); got != 0.5 {
		t.Errorf("from a state the value is %v, want 0.5", got)
	}
}

const dataset = `
def length(self):
    return 10

def getitem(self, i):
    if i == 7:
        fail_here = self.table[70]
    return self.table[i] + torch.rand(1).item(), {"index": i}

def New():
    return torch.utils.data.Dataset(length=length, getitem=getitem, table=torch.arange(10))
`

// TestDataset draws samples in several threads at once, each from numbers of its own.
func TestDataset(t *testing.T) {
	tensortest.Scope(t)
	d := made[lighter.Dataset](t, dataset, nil)
	if d.Len() != 10 {
		t.Fatalf("the length is %d", d.Len())
	}
	sample := func(i int) float64 {
		s := tensor.Open()
		defer s.Close()
		v, err := d.(lighter.Drawer).Draw(i, draw.Stream(3, uint64(i)))
		if err != nil {
			t.Error(err)
			return 0
		}
		return v.(lighter.List)[0].(tensor.Tensor).Item()
	}
	var want [7]float64
	for i := range want {
		want[i] = sample(i)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 20 {
				for i := range want {
					if got := sample(i); got != want[i] {
						t.Errorf("sample %d is %v in a thread, %v alone", i, got, want[i])
					}
				}
			}
		})
	}
	wg.Wait()
	tensor.ManualSeed(0)
	a, _ := d.Item(1)
	tensor.ManualSeed(0)
	b := tensor.CallOne("rand", []int64{1})
	if got := a.(lighter.List)[0].(tensor.Tensor).Item(); got != 1+b.Item() {
		t.Errorf("alone a sample draws %v, want %v of the default generator", got-1, b.Item())
	}
	_, err := d.Item(7)
	if err == nil || !strings.Contains(err.Error(), "New: Traceback") || !strings.Contains(err.Error(), "index 70 is out of bounds") {
		t.Errorf("got %v", err)
	}
}

func TestDatasetsDoNotChange(t *testing.T) {
	tensortest.Scope(t)
	d := made[lighter.Dataset](t, "def getitem(self, i):\n    self.seen.append(i)\n    return i\ndef New():\n    return torch.utils.data.Dataset(length=lambda self: 3, getitem=getitem, seen=[])\n", nil)
	if _, err := d.Item(0); err == nil || !strings.Contains(err.Error(), "can't be changed") {
		t.Errorf("got %v", err)
	}
}

func TestIterable(t *testing.T) {
	tensortest.Scope(t)
	d := made[lighter.IterableDataset](t, "def next(self, i):\n    return self.values[i] if i < 3 else None\ndef New():\n    return torch.utils.data.IterableDataset(next=next, values=torch.tensor([2, 4, 8]))\n", nil)
	stream, err := d.Stream(draw.Default{})
	if err != nil {
		t.Fatal(err)
	}
	var got []int64
	for {
		p, ok, err := stream.Next()
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			break
		}
		v, err := p.Make(draw.Default{})
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, v.(tensor.Tensor).Int())
	}
	if len(got) != 3 || got[0] != 2 || got[2] != 8 {
		t.Errorf("got %v", got)
	}
}

func TestClasses(t *testing.T) {
	const code = `
def init_weights(m):
    if isinstance(m, torch.nn.Linear):
        torch.nn.init.constant_(m.weight, 0.5)

def forward(self, x):
    assert isinstance(self, torch.nn.Module)
    assert isinstance(self.fc, torch.nn.Linear) and not isinstance(self.fc, torch.nn.ReLU)
    assert isinstance(self.fc, (torch.nn.Conv2d, torch.nn.Linear))
    assert isinstance(self.fc.weight, torch.nn.Parameter) and not isinstance(x, torch.nn.Parameter)
    assert next(self.parameters()).device.type == "cpu"
    return self.scale[0] * self.fc(x)

def New():
    net = torch.nn.Module(forward=forward, fc=torch.nn.Linear(2, 1, bias=False), scale=torch.nn.ParameterList([torch.nn.Parameter(torch.ones(1))]))
    net.apply(init_weights)
    return net
`
	tensortest.Scope(t)
	m := made[lighter.Module](t, code, nil)
	if got := m.Forward(tensor.FromSlice([]float32{1, 2}, 1, 2)).(tensor.Tensor).Item(); got != 1.5 {
		t.Errorf("got %v, want 1.5", got)
	}
}

func TestAnErrorSaysWhatBuiltTheObject(t *testing.T) {
	tensortest.Scope(t)
	got := failure(t, "def forward(self, x):\n    return x.nothing\ndef New():\n    return torch.nn.Module(forward=forward)\n", func(v any) {
		v.(lighter.Module).Forward(tensor.FromSlice([]float32{1}, 1))
	})
	if want := "built by argument 1, in x"; !strings.Contains(got, want) {
		t.Errorf("got\n%swant %s", got, want)
	}
}
