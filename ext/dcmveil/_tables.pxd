# Look-ups in the tables, for the other extension modules. Each takes any tag as it stands in a file (a repeating
# group such as 6002 finds the row of 60xx) and gives NULL, -1 or Type 3 where there is nothing.
from libc.stdint cimport int32_t, uint32_t
from dcmveil.tables cimport dcmveil_attribute, dcmveil_profile_row, dcmveil_tables

# The tables in force: the built-in ones, or those that _loader.pyx has put in their place, which it can do once, and
# before `use_tables`. To be read without the GIL; what the pointers lead to never changes and is never freed.
cdef dcmveil_tables tables

cdef void use_tables() noexcept
cdef int set_tables(const dcmveil_tables *new) except -1

cdef const dcmveil_attribute *find_attribute(uint32_t tag) noexcept nogil
cdef const dcmveil_profile_row *find_profile_row(uint32_t tag) noexcept nogil
cdef int32_t find_iod(const char *sop_class) noexcept nogil
cdef int find_iod_type(int32_t iod, uint32_t tag) noexcept nogil
cdef int find_nested_type(uint32_t parent, uint32_t tag) noexcept nogil
