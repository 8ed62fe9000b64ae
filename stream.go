package lighter

// IterableDataset is a collection of samples that come one after the other: torch.utils.data.IterableDataset. One that knows how
// many there are is [Sized], too.
type IterableDataset interface {
	// Stream begins an epoch. All that chooses and orders its samples, such as the shuffling of a buffer, is drawn from r, whose
	// numbers are the epoch's own: from the same ones the stream gives the same samples.
	Stream(r Rand) (Stream, error)
}

// Stream gives the samples of one epoch. Its methods are called by one goroutine at a time. A run that goes on within an epoch
// calls Next for the samples it has seen, and makes none of them.
type Stream interface {
	// Next reads on and gives what makes the next sample; ok is false at the end.
	Next() (s Pending, ok bool, err error)
	// Close ends the epoch, which may be before its end.
	Close() error
}

// Pending is a sample that a [Stream] has come to and that is still to be made.
type Pending struct {
	// Where says for messages where the sample comes from: "train-0003.tar: 0017.jpg".
	Where string
	// Make does what is costly, decoding and transforms, and draws from r. Threads of a loader call it for several samples at
	// once, while the stream goes on. The tensors are owned by the innermost scope.
	Make func(r Rand) (Value, error)
}

// Sized is a dataset that knows its number of samples.
type Sized interface{ Len() int }

// Locator is a Dataset that can say where a sample comes from, for messages: a file's path, or a file and a row in it.
type Locator interface{ Locate(i int) string }

// EpochSetter is a Loader whose order may depend on the epoch's number, as that of a DistributedSampler does. It is told before
// the epoch begins.
type EpochSetter interface{ SetEpoch(n int) }

// Foreseer is a Loader that can load the first batches of an epoch before that begins.
type Foreseer interface {
	// Foresee says that another epoch comes after the one under way. With over set that one has had all its batches, and the
	// default generator is as the next one will find it. It draws nothing.
	Foresee(over bool)
}

// BatchLocator is an Iterator that knows where the samples of its last batch come from.
type BatchLocator interface {
	// Locate gives a function that says for messages what sample k of the last batch is: its number, and its file where that is
	// known.
	Locate() func(k int) string
}
