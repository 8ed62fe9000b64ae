package metric
import ("testing";"github.com/lighter-go/lighter/tensor";"github.com/lighter-go/lighter/tensor/tensortest")
func BenchmarkOps(b *testing.B) {
	tensortest.Scope(b); tensor.SetThreads(1)
	pred, target := tensor.Zeros([]int64{32, 10}, tensor.Float32, tensor.Device{}), tensor.Zeros([]int64{32}, tensor.Int64, tensor.Device{})
	am := pred.Argmax(1); eq := am.Eq(target); st := tensor.Zeros(nil, tensor.Int64, tensor.Device{}); sm := eq.Sum(tensor.Int64)
	run := func(name string, f func()) { b.Run(name, func(b *testing.B){ tensor.SetThreads(1); for b.Loop() { s := tensor.Open(); f(); s.Close() } }) }
	run("empty", func(){})
	run("argmax", func(){ pred.Argmax(1) })
	run("max", func(){ tensor.Call("max", pred, int64(1)) })
	run("topk", func(){ tensor.Call("topk", pred, int64(1), int64(1)) })
	run("eq", func(){ am.Eq(target) })
	run("sum", func(){ eq.Sum(tensor.Int64) })
	run("sumf32", func(){ eq.Sum(tensor.Float32) })
	run("count_nonzero", func(){ tensor.CallOne("count_nonzero", eq) })
	run("add_", func(){ st.AddInPlace(sm, 1) })
	run("shape", func(){ pred.Shape(); target.Shape() })
	run("gradoff", func(){ defer tensor.SetGradEnabled(false)() })
	run("count_nonzero_sub", func(){ tensor.CallOne("count_nonzero", am.Sub(target)) })
}
