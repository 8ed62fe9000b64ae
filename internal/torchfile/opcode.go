package torchfile

// Pickle opcodes, of protocol 2 but for the last group. The names are those of
// Python's pickletools.
const (
	opMark        = '('
	opStop        = '.'
	opPop         = '0'
	opPopMark     = '1'
	opDup         = '2'
	opBinFloat    = 'G'
	opBinInt      = 'J'
	opBinInt1     = 'K'
	opBinInt2     = 'M'
	opNone        = 'N'
	opBinPersID   = 'Q'
	opReduce      = 'R'
	opBinString   = 'T'
	opShortString = 'U'
	opBinUnicode  = 'X'
	opAppend      = 'a'
	opBuild       = 'b'
	opGlobal      = 'c'
	opAppends     = 'e'
	opBinGet      = 'h'
	opLongBinGet  = 'j'
	opBinPut      = 'q'
	opLongBinPut  = 'r'
	opSetItem     = 's'
	opTuple       = 't'
	opSetItems    = 'u'
	opEmptyTuple  = ')'
	opEmptyList   = ']'
	opEmptyDict   = '}'
	opProto       = 0x80
	opNewObj      = 0x81
	opTuple1      = 0x85
	opTuple2      = 0x86
	opTuple3      = 0x87
	opTrue        = 0x88
	opFalse       = 0x89
	opLong1       = 0x8a
	opLong4       = 0x8b

	opBinBytes      = 'B'
	opShortBytes    = 'C'
	opShortUnicode  = 0x8c
	opBinUnicode8   = 0x8d
	opBinBytes8     = 0x8e
	opEmptySet      = 0x8f
	opAddItems      = 0x90
	opFrozenSet     = 0x91
	opStackGlobal   = 0x93
	opMemoize       = 0x94
	opFrame         = 0x95
	highestProtocol = 5
)
