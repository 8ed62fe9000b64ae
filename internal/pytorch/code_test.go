package pytorch

import (
	"strings"
	"testing"

	"github.com/lighter-go/lighter/tensor"
	"github.com/lighter-go/lighter/tensor/tensortest"
)

// Misspelt names, arguments of the wrong kind, and what is not here: the messages that PyTorch has no words for.
func TestMessages(t *testing.T) {
	for _, c := range []struct{ body, want string }{
		{"return y.sofmax(1)", `did you mean "softmax"?`},
		{"return torch.sofmax(y, 1)", `did you mean "softmax"?`},
		{"return torch.nn.functional.crossentropy(y, k)", `did you mean "cross_entropy"?`},
		{"return torch.linalg.nrom(y)", `did you mean "norm"?`},
		{"return y.shpae", `did you mean "shape"?`},
		{"return y.sum(dmi=1)", "sum() got an unexpected keyword argument 'dmi', did you mean 'dim'?"},
		{"return torch.softmax(y, dmi=1)", "softmax() got an unexpected keyword argument 'dmi', did you mean 'dim'?"},
		{"return torch.nn.functional.dropout(y, trainig=False)", "dropout() got an unexpected keyword argument 'trainig', did you mean 'training'?"},
		{"return y @ y", "[float32(2, 3), float32(2, 3)]"},
		{"return torch.cat([y, y[0]])", "[float32(2, 3), float32(3)]"},
		{"return y[:, 7]", "index 7 is out of bounds for dimension 1 with size 3 [float32(2, 3)]"},
		{"return y.numpy()", "Tensor.numpy is not supported: there is no NumPy here"},
		{"return torch.load('a.pt')", "torch.load is not supported here: user code reads and writes no files"},
		{"return torch.from_file('/etc/passwd', size=4)", "torch.from_file is not supported here: user code reads and writes no files"},
		{"return torch._fused_sgd_([y])", "a name that begins with _ is libtorch's own"},
		{"return y._values()", "_values"},
		{"return y.set_(y)", "Tensor.set_ is not supported"},
		{"return torch.compile(y)", "torch.compile is not supported here"},
		{"return y.to('tpu')", `unknown device "tpu"`},
		{"return y.to(dtype='float32')", "must be torch.dtype, not str"},
		{"return y.item", ""},
		{"y.requires_grad = 1\nreturn y", "requires_grad must be a bool, not int"},
		{"y.shape = (3, 2)\nreturn y", "attribute 'shape' of a Tensor cannot be set"},
		{"y.grad = torch.ones(2)\nreturn y", "assigned grad has data of a different size"},
		{"y[0] = 'a'\nreturn y", "can't assign a str to a torch.float32 tensor"},
		{"return y.view(4, 2)", "shape '[4, 2]' is invalid for input of size 6 [float32(2, 3)]"},
		{"return torch.zeros(2, dtype=3)", "argument 'dtype' must be torch.dtype, not int"},
		{"return torch.arange(2).item()", "a Tensor with 2 elements cannot be converted to Scalar"},
		{"return torch.add(y, y, out=3)", "argument 'out' must be Tensor, not int"},
		{"return torch.softmax(y, 1, out=y)", ""},
		{"return torch.no_grad()(3)", "f must be a function, not int"},
		{"return torch.tensor('a')", "invalid data type 'str'"},
		{"return torch.tensor([y, y])", "only one element tensors can be converted to Python scalars"},
		{"return torch.complex(y, y).tolist()", "complex numbers are not supported outside tensors"},
		{"return y.permute(0, 1, 2)", "number of dimensions in the tensor input does not match"},
	} {
		tensortest.Scope(t)
		_, err := call(t, "y = torch.ones(2, 3)\nx = k = n = w = y", c.body)
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", c.body, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v, want %q", c.body, err, c.want)
		}
	}
}

// What a step makes is freed with its scope; parameters keep their gradients.
func TestMemoryIsFlat(t *testing.T) {
	tensortest.Scope(t)
	f, inputs, err := functionOf(t, benchSetup, `h = torch.relu(F.linear(x, w[0], w[1]))
out = F.linear(h, w[2], w[3])
a, b = out.max(dim=1)
h = h.clone()
h[0, 1:3] = 0
parts = [r.sum() for r in out.split(8)]
loss = F.cross_entropy(out, k) + sum(parts) * 0.001
loss.backward()
text = str(loss) + str(out.shape) + f'{loss:.2f}'
for p in w:
    p.data -= 0.1 * p.grad
    p.grad = None
return loss`)
	if err != nil {
		t.Fatal(err)
	}
	step := func() {
		s := tensor.Open()
		defer s.Close()
		if _, err := f.Call(inputs, nil); err != nil {
			t.Fatal(err)
		}
	}
	step()
	before := tensor.Live()
	for range 300 {
		step()
	}
	if after := tensor.Live(); after != before {
		t.Errorf("%d tensors live after 300 steps, %d before", after, before)
	}
}

// Every schema of libtorch's is understood.
func TestSchemas(t *testing.T) {
	for _, name := range tensor.Operators() {
		for _, o := range tensor.Overloads(name) {
			s := parseSchema(o)
			if s == nil {
				t.Errorf("%s is not understood", o.Schema)
				continue
			}
			for _, p := range s.params {
				if p.name == "" || p.kind == kindOther && p.required && s.usable() {
					t.Errorf("%s: the argument %q is not understood", o.Schema, p.name)
				}
			}
		}
	}
}
