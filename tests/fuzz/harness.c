/* A fuzzer of libFuzzer around a target that is written in Python: `one(data)` of the module that DCMVEIL_FUZZ_TARGET
   names. The engine under it is built with clang's coverage and sanitizers, so its branches guide the fuzzer; with
   DCMVEIL_FUZZ_LINES=1 the lines of dcmveil's own Python do so too. An exception that the target lets through is a
   crash. The input is handed over as a view of exactly its bytes: what reads past them is seen. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <frameobject.h>
#include <sanitizer/allocator_interface.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#define LINES (1 << 14)

/* libFuzzer takes what is counted in this section for coverage. */
__attribute__((section("__libfuzzer_extra_counters"))) static uint8_t lines[LINES];

static PyObject *target;

static uint32_t hash_of(PyCodeObject *code) {
    const char *name = PyUnicode_AsUTF8(code->co_filename);
    const char *own = name == NULL ? NULL : strstr(name, "/dcmveil/");
    uint32_t hash = 2166136261u;
    if (own == NULL)
        return 0;
    for (; *own; own++)
        hash = (hash ^ (uint8_t)*own) * 16777619u;
    return hash | 1;
}

static int count_line(PyObject *self, PyFrameObject *frame, int what, PyObject *argument) {
    static struct { PyCodeObject *code; uint32_t hash; } known[1 << 12];
    PyCodeObject *code;
    size_t slot;
    (void)self; (void)argument;
    if (what != PyTrace_LINE)
        return 0;
    code = PyFrame_GetCode(frame);
    slot = ((uintptr_t)code >> 5) & ((1 << 12) - 1);
    if (known[slot].code != code) {
        known[slot].code = code;
        known[slot].hash = hash_of(code);
    }
    if (known[slot].hash)
        lines[(known[slot].hash ^ (uint32_t)PyFrame_GetLineNumber(frame) * 2654435761u) >> 18]++;
    Py_DECREF(code);
    return 0;
}

static void give_up(void) {
    PyErr_Print();
    abort();
}

/* ---- memory ------------------------------------------------------------------------------------------------------

   libFuzzer has tables with a row for each of two million features and fills them with zeros: 23 MiB, of which an
   engine as small as ours needs a few. The pages that are still zeros are given back, before there is an interpreter,
   so that the limit of memory is one of what is tested. */

#define PAGE 4096u
#define MOST_TABLES 4
#define LEAST_TABLE (1u << 20)

static struct { char *start; size_t size; } tables[MOST_TABLES];
static int table_count;

static void note_block(const volatile void *block, size_t size) {
    if (size >= LEAST_TABLE && target == NULL && table_count < MOST_TABLES) {
        tables[table_count].start = (char *)block;
        tables[table_count++].size = size;
    }
}

static void note_nothing(const volatile void *block) { (void)block; }

static void give_back_zeros(char *start, size_t size) {
    static const char zeros[PAGE];
    char *page = (char *)(((uintptr_t)start + PAGE - 1) & ~(uintptr_t)(PAGE - 1));
    for (; page + PAGE <= start + size; page += PAGE)
        if (memcmp(page, zeros, PAGE) == 0)
            madvise(page, PAGE, MADV_DONTNEED);
}

/* ---- the target -------------------------------------------------------------------------------------------------- */

static void start(void) {
    PyObject *module;
    while (table_count--)
        give_back_zeros(tables[table_count].start, tables[table_count].size);
    table_count = MOST_TABLES;
    Py_InitializeEx(0);
    /* Without OpenSSL there are Python's own hashes: 4 MiB less. */
    if (PyDict_SetItemString(PyImport_GetModuleDict(), "_hashlib", Py_None) < 0)
        give_up();
    module = PyImport_ImportModule(getenv("DCMVEIL_FUZZ_TARGET"));
    target = module == NULL ? NULL : PyObject_GetAttrString(module, "one");
    if (target == NULL)
        give_up();
    if (getenv("DCMVEIL_FUZZ_LINES") != NULL)
        PyEval_SetTrace(count_line, NULL);
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc; (void)argv;
    return !__sanitizer_install_malloc_and_free_hooks(note_block, note_nothing);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    PyObject *view, *done;
    if (target == NULL)
        start();
    view = PyMemoryView_FromMemory((char *)data, (Py_ssize_t)size, PyBUF_READ);
    done = view == NULL ? NULL : PyObject_CallOneArg(target, view);
    if (done == NULL)
        give_up();
    Py_DECREF(done);
    Py_DECREF(view);
    return 0;
}
