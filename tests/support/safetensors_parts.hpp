// The bytes of a safetensors file in parts that a test can damage one by one, and every flip of its header.
#pragma once

#include <cstdint>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/files.hpp"
#include "vaecuda/error.hpp"

namespace vaecuda::test {

/// The length of the header of these bytes.
inline std::size_t header_length(const std::string& bytes) {
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), sizeof length);
  return length;
}

/// Header and the document in its metadata as JSON, data as bytes.
struct SafetensorsParts {
  nlohmann::json header;
  nlohmann::json document;
  std::string data;
  std::string key;  ///< of the document

  SafetensorsParts(const std::string& bytes, std::string document_key) : key(std::move(document_key)) {
    const std::size_t length = header_length(bytes);
    header = nlohmann::json::parse(bytes.substr(sizeof(std::uint64_t), length));
    document = nlohmann::json::parse(header["__metadata__"][key].get<std::string>());
    data = bytes.substr(sizeof(std::uint64_t) + length);
  }
  [[nodiscard]] std::string join() const {
    nlohmann::json whole = header;
    auto& metadata = whole["__metadata__"];
    if (metadata.is_object() && metadata.contains(key)) metadata[key] = document.dump();
    return pack(whole.dump(), data);
  }
  static std::string pack(const std::string& header, const std::string& data) {
    return bytes_of(std::vector<std::uint64_t>{header.size()}) + header + data;
  }
  /// The header with the document itself where its text stands.
  [[nodiscard]] nlohmann::json whole() const {
    nlohmann::json all = header;
    all["__metadata__"][key] = document;
    return all;
  }
  void set_value(const std::string& tensor, float value) {
    const auto begin = header[tensor]["data_offsets"][0].get<std::size_t>();
    std::memcpy(data.data() + begin, &value, sizeof value);
  }
};

struct HeaderFlips {
  std::size_t bytes = 0;    ///< of the length and the header, each flipped in 9 ways
  std::size_t refused = 0;  ///< with FileError
  std::size_t read = 0;     ///< given to on_read
};

/// Flips every byte of a header: each bit, and all of them. `read(bytes)` either throws FileError, whose
/// message must be one printable line, or what it returns goes to on_read(result, damaged bytes).
template <class Read, class OnRead>
HeaderFlips flip_header(const std::string& bytes, Read&& read, OnRead&& on_read) {
  HeaderFlips flips;
  flips.bytes = sizeof(std::uint64_t) + header_length(bytes);
  for (std::size_t at = 0; at < flips.bytes; ++at) {
    for (const unsigned flip : {1U, 2U, 4U, 8U, 16U, 32U, 64U, 128U, 255U}) {
      std::string damaged = bytes;
      damaged[at] = static_cast<char>(static_cast<unsigned char>(damaged[at]) ^ flip);
      INFO("byte " << at << " flipped by " << flip);
      try {
        const auto result = read(damaged);
        ++flips.read;
        on_read(result, damaged);
      } catch (const FileError& error) {
        ++flips.refused;
        REQUIRE(std::string_view(error.what()).find_first_of("\n\r\033") == std::string_view::npos);
      }
    }
  }
  return flips;
}

}  // namespace vaecuda::test
