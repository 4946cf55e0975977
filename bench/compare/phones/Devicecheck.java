// SPDX-License-Identifier: Apache-2.0
// Devicecheck OBJECT CLIENTDATA TEAM BUNDLE TIME SAMPLES: the verifier of devicecheck-appattest (which Warden uses), from the octets of
// an App Attest attestation of the sandbox to its verdict.
import ch.veehait.devicecheck.appattest.AppleAppAttest;
import ch.veehait.devicecheck.appattest.attestation.AttestationValidator;
import ch.veehait.devicecheck.appattest.common.App;
import ch.veehait.devicecheck.appattest.common.AppleAppAttestEnvironment;
import ch.veehait.devicecheck.appattest.receipt.ReceiptValidator;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Arrays;
import java.util.Base64;

final class Devicecheck {
    private Devicecheck() {}

    private static final int KEY_ID_AT = 55; // in authData, which has 87 bytes before the key

    /** What the app would have sent along: the credential's name, out of authData. */
    private static String keyId(byte[] object) throws Exception {
        final byte[] mark = "appattestdevelop".getBytes("US-ASCII");
        for (int i = 0; i + mark.length + 34 <= object.length; i++) {
            if (Arrays.equals(mark, Arrays.copyOfRange(object, i, i + mark.length))) {
                final int at = i + KEY_ID_AT - 37;
                return Base64.getEncoder().encodeToString(Arrays.copyOfRange(object, at, at + 32));
            }
        }
        throw new IllegalArgumentException("not of the sandbox");
    }

    public static void main(String[] args) throws Exception {
        final byte[] object = Files.readAllBytes(Path.of(args[0]));
        final byte[] clientData = Files.readAllBytes(Path.of(args[1]));
        final Clock clock = Clock.fixed(Instant.ofEpochSecond(Long.parseLong(args[4])), ZoneOffset.UTC);
        final AppleAppAttest app =
            new AppleAppAttest(new App(args[2], args[3]), AppleAppAttestEnvironment.DEVELOPMENT);
        final ReceiptValidator receipts = app.createReceiptValidator(
            ReceiptValidator.APPLE_PUBLIC_ROOT_CA_G3_BUILTIN_TRUST_ANCHOR, clock, Duration.ofMinutes(5));
        final AttestationValidator validator = app.createAttestationValidator(
            AttestationValidator.APPLE_APP_ATTEST_ROOT_CA_BUILTIN_TRUST_ANCHOR, clock, receipts);
        final String keyId = keyId(object);
        Meter.run(() -> validator.validate(object, keyId, clientData), Integer.parseInt(args[5]));
    }
}
