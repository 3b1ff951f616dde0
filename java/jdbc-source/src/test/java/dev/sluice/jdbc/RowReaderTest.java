package dev.sluice.jdbc;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Arrays;
import java.util.List;
import org.apache.kafka.connect.data.ConnectSchema;
import org.apache.kafka.connect.errors.DataException;
import org.junit.jupiter.api.Test;

class RowReaderTest {
  @Test
  void noValueLosesADigit() {
    assertEquals("1.10", RowReader.valueOf("numeric", "1.10"));
    assertEquals("NaN", RowReader.valueOf("numeric", "NaN"));
    assertEquals(9007199254740993L, RowReader.valueOf("int8", "9007199254740993"));
    assertEquals("2026-03-29T01:30:00.000001Z", RowReader.valueOf("timestamptz", "2026-03-29 01:30:00.000001+00"));
    assertEquals("2026-03-29T01:30:00Z", RowReader.valueOf("timestamp", "2026-03-29 01:30:00"));
    assertEquals("2026-03-29Z", RowReader.valueOf("date", "2026-03-29"));
    assertEquals("infinity", RowReader.valueOf("date", "infinity"));
    assertEquals("P1Y2M3DT4H5M6.5S", RowReader.valueOf("interval", "P1Y2M3DT4H5M6.5S"));
    assertArrayEquals(new byte[] {0, (byte) 255}, (byte[]) RowReader.valueOf("bytea", "\\x00ff"));
    assertNull(RowReader.valueOf("text", null));
  }

  @Test
  void arraysKeepNullsQuotesAndCommas() {
    assertEquals(Arrays.asList(1, null, 3), RowReader.itemsOf("int4", "{1,NULL,3}"));
    assertEquals(List.of("a,b", "\"", "\\", "NULL", ""), RowReader.itemsOf("text", "{\"a,b\",\"\\\"\",\"\\\\\",\"NULL\",\"\"}"));
    assertEquals(List.of(), RowReader.itemsOf("int4", "{}"));
    assertThrows(DataException.class, () -> RowReader.itemsOf("int4", "{{1},{2}}"));
  }

  @Test
  void anArrayThatDoesNotBeginAtOneHasTheSameElements() {
    assertEquals(List.of("a", "b"), RowReader.itemsOf("text", "[0:1]={a,b}"));
    assertEquals(List.of("={", "]"), RowReader.itemsOf("text", "[5:6]={\"={\",]}"));
    assertEquals(Arrays.asList(1, null), RowReader.itemsOf("int4", "[-2:-1]={1,NULL}"));
    assertThrows(DataException.class, () -> RowReader.itemsOf("int4", "[0:0][1:1]={{1}}"));
  }

  @Test
  void everyValueFitsItsSchema() {
    String[][] samples = {{"bool", "t"}, {"int2", "1"}, {"int4", "1"}, {"int8", "1"}, {"oid", "1"}, {"float4", "1.5"}, {"float8", "NaN"}, {"bytea", "\\x00"}, {"uuid", "x"}, {"jsonb", "{}"}};
    for (String[] sample : samples) ConnectSchema.validateValue(RowReader.schemaOf(sample[0]), RowReader.valueOf(sample[0], sample[1]));
  }
}
