// The part of ankerl::unordered_dense that the mediasoup worker uses, over Abseil's hash tables.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>

#include <iterator>

namespace ankerl::unordered_dense {

template <class T>
using hash = absl::Hash<T>;

// Abseil's erase(iterator) returns nothing, to save the search for the next element; the worker's loops want that element.
template <class Table>
struct with_returning_erase : Table {
  using Table::erase;
  using Table::Table;

  typename Table::iterator erase(typename Table::iterator position) {
    auto next = std::next(position);
    Table::erase(position);
    return next;
  }
};

template <class K, class V, class Hash = absl::container_internal::hash_default_hash<K>,
          class Equal = absl::container_internal::hash_default_eq<K>>
using map = with_returning_erase<absl::flat_hash_map<K, V, Hash, Equal>>;

template <class K, class Hash = absl::container_internal::hash_default_hash<K>,
          class Equal = absl::container_internal::hash_default_eq<K>>
using set = with_returning_erase<absl::flat_hash_set<K, Hash, Equal>>;

}  // namespace ankerl::unordered_dense
