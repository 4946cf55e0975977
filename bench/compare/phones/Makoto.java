// SPDX-License-Identifier: Apache-2.0
// Makoto android|apple EVIDENCE CHALLENGE ANDROIDPOLICY APPLEPOLICY LIST TIME SAMPLES: the verifier of Warden Supreme, from the
// statement that a phone sends (a certificate chain, made of PEM), or from an App Attest object, to its verdict. The policies are its
// own configurations, as JSON; LIST is served by a double of Google's server (see ListDouble).
import at.asitplus.attestation.AttestationResult;
import at.asitplus.attestation.KeyAttestation;
import at.asitplus.attestation.Warden;
import at.asitplus.attestation.WardenDebugAttestationStatement;
import at.asitplus.signum.indispensable.Attestation;
import java.io.ByteArrayInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.util.Base64;
import java.util.StringJoiner;
import java.util.concurrent.Callable;

final class Makoto {
    private Makoto() {}

    private static String statement(byte[] pem) throws Exception {
        final StringJoiner out = new StringJoiner("\",\"", "{\"typ\":\"android-key\",\"x5c\":[\"", "\"]}");
        for (Certificate c : CertificateFactory.getInstance("X.509").generateCertificates(new ByteArrayInputStream(pem))) {
            out.add(Base64.getUrlEncoder().withoutPadding().encodeToString(c.getEncoded()));
        }
        return out.toString();
    }

    private static Callable<?> android(Warden warden, String statement, byte[] challenge) {
        return () -> {
            final KeyAttestation<?> k =
                warden.verifyKeyAttestation(Attestation.Companion.fromJSON(statement), challenge);
            if (!k.isSuccess()) {
                throw new IllegalStateException(k.toString());
            }
            return k;
        };
    }

    private static Callable<?> apple(Warden warden, byte[] object, byte[] clientData) {
        return () -> {
            final AttestationResult r = warden.getIos().verifyAppAttestation(object, clientData);
            if (r instanceof AttestationResult.Error) {
                throw new IllegalStateException(r.toString());
            }
            return r;
        };
    }

    /** A verifier whose clock stands still, as its own records make one: a clock of Java's overflows the stack in 0.9.1. */
    private static Warden warden(String android, String apple, long time) {
        return WardenDebugAttestationStatement.Companion
            .deserialize("{\"method\":\"SUPREME\",\"androidAttestationConfiguration\":" + android
                + ",\"iosAttestationConfiguration\":" + apple + ",\"verificationTime\":" + time * 1000 + "}")
            .createWarden(false);
    }

    public static void main(String[] args) throws Exception {
        final byte[] evidence = Files.readAllBytes(Path.of(args[1]));
        final byte[] challenge = Files.readAllBytes(Path.of(args[2]));
        final ListDouble google = new ListDouble(Files.readAllBytes(Path.of(args[5])));
        final String android =
            Files.readString(Path.of(args[3])).replaceFirst("\\{", "{\"httpProxy\":\"" + google.url() + "\",");
        final Warden warden = warden(android, Files.readString(Path.of(args[4])), Long.parseLong(args[6]));
        Meter.run(args[0].equals("apple") ? apple(warden, evidence, challenge)
                                          : android(warden, statement(evidence), challenge),
            Integer.parseInt(args[7]));
    }
}
